"""The whole configuration as one record, read from YAML and written back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from climxai.attribution.visualise.settings import OptimalInput
from climxai.composites.clusters.settings import Strategies
from climxai.composites.settings import Composite, Composites
from climxai.config.checks import findings
from climxai.config.kinds import field_type
from climxai.config.mistakes import Mistake, Mistakes
from climxai.config.overrides import apply_overrides
from climxai.config.problems import dotted, misread_booleans, mistakes
from climxai.config.reading import Document, read_file
from climxai.config.sections import AnyOutput, Compute, Explain, Output, as_list
from climxai.config.writing import to_yaml
from climxai.core.errors import ConfigError
from climxai.core.record import OneOf, Record
from climxai.data.labels import LABELS, Label
from climxai.data.novelty.settings import Novelty
from climxai.data.preprocess import STEPS, Step
from climxai.data.readers import READERS, Reader
from climxai.data.split import SPLITS, SplitRule
from climxai.models.architectures import ARCHITECTURES, Architecture
from climxai.models.training import Training
from climxai.plots.settings import Maps


class Experiment(Record):
    """From netCDF files to composite maps: one section per step.

    `data`, `label`, `split` and `network` must be given; every other section has defaults.
    """

    data: Annotated[Reader, OneOf(READERS, "reader", default="netcdf")]
    """the files and what is read from them"""
    preprocess: Annotated[
        tuple[Annotated[Step, OneOf(STEPS, "preprocessing step")], ...], BeforeValidator(as_list)
    ] = ()
    """steps applied to the fields, in order"""
    label: Annotated[Label, OneOf(LABELS, "label")]
    """what training predicts"""
    split: Annotated[SplitRule, OneOf(SPLITS, "split")]
    """which samples train, validate and test"""
    network: Annotated[Architecture, OneOf(ARCHITECTURES, "network")]
    """the network's architecture"""
    train: Training = Field(default_factory=Training)
    """how the network is trained, and from which seeds"""
    explain: Explain = Field(default_factory=Explain)
    """which methods explain which samples"""
    composite: Composites = Field(default_factory=lambda: (Composite(),))
    """how relevance is averaged per class; one block, or a list of them"""
    maps: Maps = Field(default_factory=Maps)
    """how composites are drawn"""
    strategies: Strategies = Field(default_factory=Strategies)
    """how `climxai strategies` clusters relevance, and what it holds suspect"""
    optimal_input: OptimalInput = Field(default_factory=OptimalInput)
    """which inputs `climxai optimal-input` makes, and how"""
    novelty: Novelty = Field(default_factory=Novelty)
    """how `climxai novelty` tells which samples are unlike others"""
    compute: Compute = Field(default_factory=Compute)
    """threads, memory and size of files"""
    output: AnyOutput = Field(default_factory=Output)
    """where results go; `runs/` and the name of the configuration file, beside it, by default"""


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read, complete and check a configuration.

    Paths in the file are relative to its directory; those in ``overrides`` to the working
    directory. Without ``output`` results go to ``runs/<name of the file>`` beside the file.

    Parameters
    ----------
    path
        The YAML file.
    overrides
        Settings such as ``train.epochs=5``, in order; see `apply_overrides`.

    Raises
    ------
    ConfigError
        Listing every mistake with its line and column.
    """
    path = Path(path)
    document = read_file(path)
    found = apply_overrides(document, overrides)
    _complete(document.value, path)
    experiment, more = _validate(document, {"base": str(path.absolute().parent)})
    wrong = (*document.mistakes, *found, *more)
    if wrong or experiment is None:
        raise ConfigError(Mistakes(str(path), wrong).text())
    return experiment


def resolved_yaml(experiment: Experiment) -> str:
    """Return the experiment as YAML, every default spelt out and every path in full.

    It loads back to an equal experiment, wherever the file lies.
    """
    return to_yaml(experiment.model_dump(mode="json"))


def _complete(value: dict[str, Any], path: Path) -> None:
    """Name the output directory after the file where none is given."""
    output = value.setdefault("output", {})
    if isinstance(output, dict):
        output.setdefault("directory", f"runs/{path.stem}")


def _validate(
    document: Document, context: Mapping[str, str]
) -> tuple[Experiment | None, tuple[Mistake, ...]]:
    experiment, wrong = None, misread_booleans(Experiment, document)
    try:
        experiment = Experiment.model_validate(document.value, context=dict(context))
        sections = {name: getattr(experiment, name) for name in Experiment.model_fields}
    except ValidationError as error:
        already = {each.key for each in wrong}
        found = mistakes(error, Experiment, document)
        wrong += tuple(each for each in found if each.key not in already)
        sections = _valid_sections(document.value, context)
    for keys, text in findings(sections):
        wrong += (Mistake(document.place(keys), dotted(keys), text),)
    return experiment, wrong


def _valid_sections(value: Mapping[str, Any], context: Mapping[str, str]) -> dict[str, Any]:
    """Return the sections that are right by themselves, so that they are checked together too."""
    sections = {}
    for name, info in Experiment.model_fields.items():
        if name in value:
            try:
                sections[name] = _section(name).validate_python(value[name], context=dict(context))
            except ValidationError:
                continue
        elif not info.is_required():
            sections[name] = info.get_default(call_default_factory=True)
    return sections


@lru_cache
def _section(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(field_type(Experiment.model_fields[name]))
