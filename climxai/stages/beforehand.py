"""What `optimal_input` and `novelty` can be refused for before a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError, ModelError
from climxai.stages.preparation import Prepared

if TYPE_CHECKING:
    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment
    from climxai.core.period import Period

Rows = npt.NDArray[np.int64]


def check_beforehand(experiment: Experiment, prepared: Prepared) -> None:
    """Refuse targets, starts, layers and baselines that the network or the record do not have.

    Raises
    ------
    ClimxaiError
        Beginning with the key, and listing what there is.
    """
    from climxai.attribution.network import trace
    from climxai.bridge.signature import Signature
    from climxai.data.novelty.settings import Novelty
    from climxai.models.network import build_network
    from climxai.stages.novelty_spaces import INPUTS, layer_size

    check_start(experiment, prepared)
    # Whoever leaves the section out need not have a baseline for it.
    if experiment.novelty != Novelty():
        baseline_rows(experiment, prepared)
    classes, layer = prepared.samples.classes, experiment.novelty.space
    names = {each.model_dump()["name"] for each in experiment.optimal_input.targets}
    if names == {"class"} and layer == INPUTS:
        return
    shape = Signature.of(prepared.fields, prepared.valid).shape
    network = trace(build_network(experiment.network, shape, len(classes), seed=0), shape)
    check_targets(experiment, network, classes)
    if layer != INPUTS:
        layer_size(network, layer)


def check_targets(experiment: Experiment, network: Network, classes: tuple[str, ...]) -> None:
    """Refuse targets of `optimal_input` that do not suit the network.

    Raises
    ------
    ModelError
        Beginning with the key of the setting.
    """
    for index, target in enumerate(experiment.optimal_input.targets):
        place = f"optimal_input.targets.{index}"
        if target.model_dump()["name"] == "regression" and network.output_shape == (len(classes),):
            raise ModelError(
                f"{place}.name: a regression is aimed at, but the outputs of the network are the "
                f"scores of the classes {', '.join(classes)}: choose the target class, with "
                "`aim: logit` to make a score large"
            )
        for single in target.expand(classes):
            try:
                single.check(network, classes)
            except ModelError as error:
                raise ModelError(f"{place}.{error}") from error


def check_start(experiment: Experiment, prepared: Prepared) -> None:
    """Refuse a start that the record does not have.

    Raises
    ------
    DataError
        Beginning with the key of the setting.
    """
    from climxai.stages.surroundings import surroundings

    start = experiment.optimal_input.start

    def find(period: Period, member: str | None) -> Any:
        return start_row(prepared, period, member)

    start.check(surroundings(experiment, prepared), find)


def start_row(prepared: Prepared, period: Period, member: str | None) -> Rows:
    """Return the position of the one row of a date and member that the optimisation starts from.

    Raises
    ------
    DataError
        When there is none, or there are several.
    """
    from climxai.data.time import rows_in_period, span

    fields = prepared.fields
    chosen = rows_in_period(fields["time"], period)
    if member is not None:
        members = fields["member"].values.astype(str) if "member" in fields.coords else ()
        chosen = chosen & np.isin(members, [member]) if len(members) else chosen & False
    rows = np.flatnonzero(chosen).astype(np.int64)
    if rows.size != 1:
        several = "name its `member` or a day" if rows.size else "choose another"
        raise DataError(
            f"optimal_input.start.date: {rows.size} rows of the record "
            f"({span(np.sort(fields['time'].values))}) are of {period.start}"
            f"{f', member {member}' if member else ''}, expected one: {several}"
        )
    return rows


def baseline_rows(experiment: Experiment, prepared: Prepared) -> Rows:
    """Return the positions of the rows of the baseline of `novelty`, ascending.

    Raises
    ------
    DataError
        When there are fewer than two, or fewer than `folds`.
    """
    from climxai.data.novelty.baselines import RecordRows

    record = RecordRows(
        prepared.labelling.numbers,
        prepared.labelling.classes,
        prepared.fields["time"].values,
        np.asarray(prepared.split.train, dtype=np.int64),
    )
    settings = experiment.novelty
    rows = settings.baseline.rows(record)
    if settings.folds > rows.size:
        fewer = f"at most {rows.size // 2}, or " if rows.size > 3 else ""
        raise DataError(
            f"novelty.folds: the baseline ({settings.baseline.describe()}) has {rows.size} rows, "
            f"found {settings.folds} blocks to cut it into: choose {fewer}1 to "
            "compare its rows with themselves"
        )
    return rows
