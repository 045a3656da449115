"""Standard pictures of a finished run: panels, means, sections, scores, shares of regions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from climxai.core.errors import ClimxaiError, ConfigError, did_you_mean
from climxai.stages.explained import Run, open_run
from climxai.stages.outputs import begin, stage_output, write_provenance
from climxai.stages.pictures_composites import clusters, groups, means, seeds
from climxai.stages.pictures_samples import confusion, reliability, sections
from climxai.stages.pictures_shares import shares

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)

Kind = Callable[[Run], Iterator[Path]]
"""What draws one kind of pictures, and yields each file it has written."""

KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "panels": (groups, "composites: methods by classes, seasons or other groups"),
    "seeds": (seeds, "composites of single networks beside each other"),
    "clusters": (clusters, "composites of the clusters that `climxai strategies` found"),
    "means": (means, "composites with zonal and meridional means"),
    "sections": (sections, "relevance and field by longitude and time, and by latitude and time"),
    "confusion": (confusion, "confusion matrices of the networks"),
    "reliability": (reliability, "how often the networks are right against how sure they are"),
    "shares": (shares, "shares of relevance in the regions of `maps.regions`, and a table"),
}
"""Name -> what draws it, and what it shows."""


@dataclass(frozen=True)
class Pictures:
    """Files by kind, and the kinds that were left out with the reason."""

    written: dict[str, tuple[Path, ...]]
    left_out: dict[str, str]


def pictures(experiment: Experiment, kinds: Sequence[str] = ()) -> Pictures:
    """Draw the pictures that can be drawn from what is there.

    Parameters
    ----------
    experiment
        The validated configuration, explained and composited before.
    kinds
        Of `KINDS`. None: all for which there is something; a kind that is named must succeed.

    Raises
    ------
    ConfigError
        For an unknown kind.
    ClimxaiError
        When relevance is missing or made with another configuration, or a named kind lacks what it
        needs.
    """
    for name in kinds:
        if name not in KINDS:
            raise ConfigError(
                f"there is no kind of pictures {name!r}." + did_you_mean(name, tuple(KINDS))
            )
    with stage_output(experiment, "pictures") as layout:
        run = open_run(experiment, layout)
        started = begin(())
        written: dict[str, tuple[Path, ...]] = {}
        left_out: dict[str, str] = {}
        chosen = [name for name in KINDS if name in kinds or not kinds]
        for number, name in enumerate(chosen, 1):
            LOG.info("drawing %s (%d of %d)", name, number, len(chosen))
            try:
                written[name] = tuple(KINDS[name][0](run))
            except ClimxaiError as error:
                if kinds:
                    raise
                left_out[name] = str(error)
        files = [str(path.relative_to(layout.root)) for paths in written.values() for path in paths]
        write_provenance(layout, "pictures", started, outputs=files)
    return Pictures(written, left_out)
