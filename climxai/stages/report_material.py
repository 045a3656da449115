"""What stands in an output directory, gathered for the report; what is absent is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.core import dims, provenance
from climxai.core.errors import OutputError
from climxai.core.files import read_json
from climxai.stages.layout import Layout
from climxai.stages.report_data import opened, parameters_of, record_of, shards_of, signature_of
from climxai.stages.report_extras import extras_of
from climxai.stages.wording import READABLE
from climxai.version import __version__

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.report.material import (
        Audit,
        Clusters,
        Composite,
        Material,
        Moments,
    )

COMPARED: Final = (
    "data", "preprocess", "label", "split", "network", "train", "explain", "composite",
)  # fmt: skip
"""Sections that results depend on."""


def gather(
    experiment: Experiment, kept: Experiment, layout: Layout, moments: Moments | None
) -> Material:
    """Read everything but the pictures.

    Parameters
    ----------
    experiment
        The configuration that the report was asked for.
    kept
        The one that stands beside the results.
    layout
        The output directory.
    moments
        Maps of single samples.

    Raises
    ------
    OutputError
        When there is nothing to report, or a file is damaged.
    """
    from climxai.config.experiment import resolved_yaml
    from climxai.report.material import Material

    made = _json(layout.provenance, "the provenance of the run", {})
    # The page says of itself when it was made; an earlier page is no source.
    made.pop("report", None)
    scores = _json(layout.scores, "the scores", None)
    composites = _composites(kept, layout, made)
    if scores is None and not composites:
        raise OutputError(
            f"there is nothing to report in {layout.root}: neither scores nor composites; run "
            "`climxai run` first"
        )
    explained, leaks = shards_of(layout)
    names = _class_names(scores, composites)
    text = layout.config.read_text("utf-8") if layout.config.exists() else resolved_yaml(kept)
    return Material(
        root=layout.root,
        name=layout.root.resolve().name,
        version=__version__,
        made=provenance.now(),
        config=kept.model_dump(mode="json"),
        config_text=text,
        same_config=_compared(experiment) == _compared(kept),
        command="climxai report config.yaml",
        readable={name: READABLE.get(name, name.replace("_", " ")) for name in names},
        provenance=made,
        scores=scores,
        signature=signature_of(kept, layout),
        parameters=parameters_of(layout.network(kept.train.seeds[0]) / "weights.safetensors"),
        record=record_of(kept),
        explained=explained,
        leaks=leaks,
        composites=composites,
        moments=moments,
        clusters=_clusters(layout, made),
        audits=_audits(layout, made),
        extras=extras_of(layout),
        loss_curves=layout.loss_curves if layout.loss_curves.exists() else None,
    )


def _compared(experiment: Experiment) -> list[Any]:
    """Return the sections that results depend on; an audit changes none."""
    held = {part: getattr(experiment, part) for part in COMPARED}
    held["explain"] = held["explain"].model_copy(update={"audit": False})
    return list(held.values())


def _json(path: Path, what: str, otherwise: Any) -> Any:
    return read_json(path, what) if path.exists() else otherwise


def _outputs(layout: Layout, made: Mapping[str, Any], stage: str, pattern: str) -> list[Path]:
    """Return the files of the last run of a stage; those that lie there where it is not known."""
    held = made.get(stage, {}).get("outputs")
    if held is None:
        return sorted(layout.root.glob(pattern))
    return [path for path in (layout.root / name for name in held) if path.exists()]


def _composites(kept: Experiment, layout: Layout, made: Mapping[str, Any]) -> tuple[Composite, ...]:
    from climxai.report.material import Composite

    found = []
    for path in _outputs(layout, made, "composite", "composites/*.nc"):
        dataset = opened(path)
        if "relevance" not in dataset or dims.CLASS not in dataset["relevance"].dims:
            continue
        channels = [str(name) for name in dataset[dims.CHANNEL].values]
        pictures = {}
        for name in (str(each) for each in dataset[dims.CLASS].values):
            for channel in channels:
                named = channel if len(channels) > 1 else None
                picture = layout.map(path.stem, name, named, "png")
                if picture.exists():
                    pictures[name, channel] = picture
        found.append(Composite(path.stem, path, dataset, pictures))
    order = [str(method.id) for method in kept.explain.methods]
    method = {each.name: str(each.dataset.attrs.get("method")) for each in found}
    known = {name: place for place, name in enumerate(order)}
    return tuple(sorted(found, key=lambda each: known.get(method[each.name], len(known))))


def _class_names(scores: Any, composites: Iterable[Composite]) -> list[str]:
    names: list[str] = []
    for each in (scores or {}).get("seeds", ()):
        for part in ("train", "validation", "test"):
            names += each.get(part, {}).get("recall", {})
    for composite in composites:
        names += [str(name) for name in composite.dataset[dims.CLASS].values]
    return list(dict.fromkeys(names))


def _clusters(layout: Layout, made: Mapping[str, Any]) -> tuple[Clusters, ...]:
    from climxai.report.material import Clusters, Picture

    found = []
    for path in _outputs(layout, made, "strategies", "strategies/*.nc"):
        name = path.stem
        file = layout.strategies(name, "json")
        # The labels of clusters, beside the relevance, are outputs of the same stage.
        if path.parent != file.parent or not file.exists():
            continue
        account = read_json(file, "the account of clusters")
        chosen = account["chosen"]
        told = {
            "number": "Why so many clusters: silhouette and stability against their number, and "
            f"the gaps between eigenvalues; {chosen['clusters']} clusters were taken.",
            "embedding": f"{account['samples']} samples in two dimensions (principal components, "
            f"t-SNE), coloured by cluster, class and year; {chosen['clusters']} clusters.",
        }
        pictures = [
            Picture(layout.strategies_picture(name, what, "png"), text, text)
            for what, text in told.items()
        ]
        numbers = [int(each["cluster"]) for each in account["clusters"]]
        maps = {
            number: layout.strategies_picture(name, f"cluster-{number}", "png")
            for number in numbers
        }
        found.append(
            Clusters(
                account,
                tuple(each for each in pictures if each.path.exists()),
                {number: file for number, file in maps.items() if file.exists()},
            )
        )
    return tuple(found)


def _audits(layout: Layout, made: Mapping[str, Any]) -> tuple[Audit, ...]:
    from climxai.report.material import Audit, Picture
    from climxai.report.numbers import percent
    from climxai.stages.audit_summary import summarise

    found = []
    for path in _outputs(layout, made, "audit", "audit/*.nc"):
        dataset = opened(path)
        rows = tuple(summarise(dataset))
        reached = ", ".join(f"seed {row['seed']} {percent(row['conservation'])}" for row in rows)
        caption = f"{path.stem}: relevance layer by layer, and what took the rest."
        pictures = [
            Picture(layout.audit(path.stem, "png"), f"{caption} Reaching the map: {reached}.",
                    caption),
            Picture(
                layout.conservation,
                "Sum of relevance over the explained output after each layer, all methods. "
                f"{path.stem}, reaching the map: {reached}.",
                "Relevance along the layers, all methods in one.",
            ),
        ]  # fmt: skip
        advice = str(dataset.attrs.get("advice", "")).strip()
        found.append(
            Audit(
                path.stem,
                rows,
                tuple(line for line in advice.splitlines() if line.strip()),
                tuple(each for each in pictures if each.path.exists()),
            )
        )
    return tuple(found)
