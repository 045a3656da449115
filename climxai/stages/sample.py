"""Sample: a synthetic monthly SST record on disk."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from climxai.core.errors import ConfigError, OutputError


def write_sample(path: Path, *, seed: int, years: int, force: bool) -> None:
    """Generate the record of ``seed`` and write it to ``path``.

    Raises
    ------
    ConfigError
        When the seed or the number of years is out of range.
    OutputError
        When ``path`` exists and ``force`` is not given, or cannot be written.
    """
    from climxai.data.sample import SyntheticSst

    if path.exists() and not force:
        raise OutputError(f"{path} exists: give another name, or --force to replace it")
    try:
        record = SyntheticSst(seed=seed, years=years)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"--{first['loc'][0]} {first['input']}: {first['msg'].lower()}") from None
    record.write(path)
