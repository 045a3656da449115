"""What is said about clusters: one JSON-able account per method and group of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.averages import Averages
from climxai.composites.clusters.clusterer import Array
from climxai.composites.clusters.found import Found
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.settings import Strategies
from climxai.composites.clusters.stability import Variant, verdict
from climxai.composites.clusters.suspects import check, looks


class Account(TypedDict):
    """What `climxai strategies` prints and writes as JSON; undefined numbers are None."""

    id: str
    method: str
    within: str
    samples: int
    without_relevance: int
    """samples whose map is zero everywhere: not clustered"""
    in_no_cluster: int
    """samples between clusters (HDBSCAN)"""
    chosen: dict[str, Any]
    """number of clusters, whether it was given, and what each criterion would take"""
    clusters: list[dict[str, Any]]
    stability: list[dict[str, Any]]
    resampling: float | None
    """mean adjusted Rand index of resamples and whole"""
    verdict: str
    suspects: list[dict[str, Any]]
    settings: dict[str, Any]


def account(
    name: str,
    method: str,
    within: str,
    gathered: Gathered,
    found: Found,
    averages: Averages,
    variants: Sequence[Variant],
    settings: Strategies,
    *,
    dates: Sequence[str],
    of_class: Mapping[str, npt.NDArray[np.bool_]],
    right: Array,
) -> Account:
    """Return the account of one method and group of samples.

    Parameters
    ----------
    name, method, within
        What the files are called, the method's id, which samples these are.
    gathered, found, averages, variants, settings
        What was found, and how.
    dates
        [sample]
    of_class
        Class name -> bool [sample]: true class.
    right
        [sample]: fraction of the seeds that gave the true class.
    """
    mean = gathered.mean()
    each = [
        looks(
            number,
            found.labels,
            mean,
            gathered.field,
            gathered.area,
            (gathered.lat, gathered.lon),
            {place: float(values[number - 1]) for place, values in averages.shares.items()},
            averages.elsewhere(number),
        )
        for number in range(1, found.clusters + 1)
    ]
    clusters = [
        {
            "cluster": one.cluster,
            "count": one.count,
            "silhouette": _number(_mean(found.silhouette[found.labels == one.cluster])),
            "classes": {
                key: int((inside & (found.labels == one.cluster)).sum())
                for key, inside in of_class.items()
            },
            "right": _number(_mean(right[found.labels == one.cluster])),
            "alike_relevance": _number(one.alike_relevance),
            "alike_field": _number(one.alike_field),
            "follows_field": _number(one.follows),
            "still_share": _number(one.still_share),
            "constant_share": _number(one.constant_share),
            "shares": {place: _number(share) for place, share in one.shares.items()},
            "nearest": [dates[at] for at in found.nearest(one.cluster, settings.nearest).tolist()],
            "dates": [dates[at] for at in np.flatnonzero(found.labels == one.cluster).tolist()],
        }
        for one in each
    ]
    choice = found.choice
    at = choice.numbers.index(choice.clusters)
    resampling = float(choice.stability[at])
    zero = len(found.labels) - found.clustered.size
    return Account(
        id=name,
        method=method,
        within=within,
        samples=len(found.labels),
        without_relevance=zero,
        in_no_cluster=int((found.labels == 0).sum()) - zero,
        chosen={
            "clusters": choice.clusters,
            "given": choice.asked,
            "votes": choice.votes,
            "neighbours": choice.neighbours,
            "graph_parts": choice.graph_parts,
            "eigenvalues": [_number(value) for value in choice.eigenvalues],
            "numbers": list(choice.numbers),
            "silhouette": [_number(value) for value in choice.silhouette],
            "stability": [_number(value) for value in choice.stability],
        },
        clusters=clusters,
        stability=[
            {**asdict(variant), "agreement": _number(variant.agreement)} for variant in variants
        ],
        resampling=_number(resampling),
        verdict=verdict(resampling, variants),
        suspects=[asdict(finding) for finding in check(each, found.labels, settings.suspect)],
        settings=settings.model_dump(mode="json"),
    )


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _number(value: float) -> float | None:
    """Return a float, None where it is undefined: JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
