"""Opening an output directory for one stage: lock, log, resolved configuration, provenance."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climxai.core import provenance
from climxai.core.files import read_json, write_json, write_text
from climxai.core.lock import locked
from climxai.core.log import log_to_file
from climxai.stages.layout import Layout

LOG = logging.getLogger(__name__)

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment


@contextmanager
def stage_output(experiment: Experiment, stage: str) -> Iterator[Layout]:
    """Hold the output directory of ``experiment`` while a stage runs in it.

    Raises
    ------
    OutputError
        When the directory cannot be written to or another run holds it.
    """
    layout = Layout(Path(experiment.output.directory))
    with locked(layout.root, stage), log_to_file(layout.log):
        LOG.debug("%s begins: %s", stage, provenance.command_line())
        try:
            yield layout
        except (Exception, KeyboardInterrupt) as error:
            LOG.debug("%s ended by %s: %s", stage, type(error).__name__, error)
            raise
        LOG.debug("%s is done", stage)


def write_config(experiment: Experiment, layout: Layout) -> None:
    """Save the resolved configuration."""
    from climxai.config.experiment import resolved_yaml

    write_text(layout.config, resolved_yaml(experiment))


def write_provenance(
    layout: Layout, stage: str, started: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Add what a stage did to ``provenance.json``; return the stage's own part."""
    whole: dict[str, Any] = {}
    if layout.provenance.exists():
        whole = read_json(layout.provenance, "the provenance of the run")
    whole[stage] = {**started, "finished": provenance.now(), **more}
    write_json(layout.provenance, whole)
    return dict(whole[stage])


def begin(files: Iterable[Path]) -> dict[str, Any]:
    """Return the provenance known when a stage starts."""
    return provenance.record(files)


def drop_earlier(written: Iterable[Path], pattern: str) -> None:
    """Remove files of an earlier run beside those ``written`` now, which their names would belie.

    Only files that match ``pattern``, in the folders of the written ones, are looked at.
    """
    kept = set(written)
    for folder in {path.parent for path in kept}:
        for path in folder.glob(pattern):
            if path not in kept:
                path.unlink(missing_ok=True)


def result_attributes(
    experiment: Experiment, verb: str, started: dict[str, Any], networks: Mapping[int, str]
) -> dict[str, Any]:
    """Return where a result comes from, as text netCDF can hold; ``networks``: seed -> digest."""
    from climxai.config.experiment import resolved_yaml

    return {
        "source": f"climxai {provenance.versions()['climxai']}",
        "history": provenance.history(verb),
        "seeds": json.dumps(list(networks)),
        "configuration": resolved_yaml(experiment),
        "versions": json.dumps(started["versions"]),
        "input_digests_sha256": json.dumps(started["inputs"]),
        "network_digests_sha256": json.dumps({str(seed): d for seed, d in networks.items()}),
    }
