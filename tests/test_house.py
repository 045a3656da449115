"""The rules of the house: floors, light imports, file sizes and names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "climxai").rglob("*.py"))


def test_rooms_import_only_from_the_floors_below() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after ``code``."""
    show = "import sys; print('\\n'.join(sorted({name.split('.')[0] for name in sys.modules})))"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


HEAVY = {"torch", "xarray", "dask", "sklearn", "scipy", "matplotlib", "cartopy", "netCDF4"}


@pytest.mark.parametrize(
    ("code", "banned"),
    [
        ("import climxai.cli.main", HEAVY | {"pydantic", "yaml"}),
        ("import climxai.config.experiment", HEAVY),
        ("import climxai.stages.composite, climxai.composites.composite", {"torch"}),
    ],
)
def test_what_stays_unloaded(code: str, banned: set[str]) -> None:
    assert not loaded_by(code) & banned


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_thing(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 320, f"{path.name} has {lines} lines: does it hold two things?"
    assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "common"}


def test_help_loads_no_command() -> None:
    # How long it takes is measured in benchmarks/startup.py.
    loaded = loaded_by(
        "import sys; sys.argv = ['climxai', '--help']\n"
        "from climxai.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert "climxai" in loaded
    assert not loaded & (HEAVY | {"pydantic"})
