"""What tests found, as variables of a composite file with CF attributes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.agreement import sign_agreement
from climxai.core import dims

if TYPE_CHECKING:
    import xarray as xr

    from climxai.composites.significance.field import Outcome
    from climxai.composites.significance.nulls import NullTally
    from climxai.composites.significance.settings import Significance

FLAGS: Final = {
    "flag_values": np.array([0, 1], dtype=np.int8),
    "flag_meanings": "not_significant significant",
    "units": "1",
}
NOT_TESTED: Final = np.int8(-1)
NULLS: Final = "null_networks"
"""The name under which the comparison with null networks stands, beside those of tests."""


def p_name(test: str) -> str:
    """Return the name of a test's variable of p-values."""
    return f"p_{test}"


def mask_name(test: str) -> str:
    """Return the name of a test's variable that says where the composite is significant."""
    return f"significant_{test}"


def with_tests(
    composite: xr.Dataset, tested: Mapping[str, Outcome], settings: Significance
) -> xr.Dataset:
    """Return the composite with p-values, masks and counts of every test.

    Per test ``<test>``: ``p_<test>`` and ``significant_<test>`` (as ``relevance``);
    ``threshold_<test>``, ``cells_<test>`` and ``cells_significant_<test>`` (class, channel);
    ``samples_<test>`` and, of tests with blocks, ``block_length_<test>`` (class). Tests of
    differences have ``difference`` in place of ``class``.
    """
    for name, found in tested.items():
        readable = name.replace("_", " ")
        over = composite["relevance_difference" if found.differences else "relevance"].dims
        what = "difference of mean relevance" if found.differences else "mean relevance"
        variables = _map(name, readable, found.p, found.significant, settings, over, what=what)
        variables[p_name(name)].attrs.update(
            question=f"a small p-value speaks against: {found.test.question}"
            if not found.differences
            else "a small p-value speaks against: both classes have the same mean",
            settings=found.test.canonical(),
            comment="maps of the networks of all seeds are averaged per sample beforehand: they "
            "are no independent evidence",
        )
        composite = composite.assign(variables)
        composite[f"threshold_{name}"] = (
            over[:2],
            found.threshold,
            {
                "long_name": f"largest p-value that is significant, {readable}",
                "units": "1",
                "correction": settings.correction,
                "alpha": settings.alpha,
                "comment": "missing where no cell is significant",
            },
            {"dtype": "float64", "_FillValue": np.nan},
        )
        counts = {f"samples_{name}": (found.samples, "number of samples compared")}
        if found.block is not None:
            text = "number of successive samples kept together"
            counts[f"block_length_{name}"] = (found.block, text)
        for each, (values, text) in counts.items():
            composite[each] = (
                over[:1],
                values,
                {
                    "long_name": f"{text}, {readable}",
                    "units": "1",
                    "comment": "networks of several seeds count once; 0 where nothing is tested",
                },
                {"dtype": "int32", "_FillValue": None},
            )
    return composite


def with_nulls(composite: xr.Dataset, tally: NullTally, settings: Significance) -> xr.Dataset:
    """Return the composite beside those of networks trained on shuffled labels.

    Adds ``p_null_networks``, ``significant_null_networks`` and ``null_quantile``, all like
    ``relevance``; the counts of cells; and ``networks_null_networks`` (class).

    Parameters
    ----------
    composite
        With ``relevance`` (class, channel, lat, lon).
    tally
        What was counted of the null networks' composites [class, cell].
    settings
        Gives the quantile and the domain.
    """
    relevance = composite["relevance"]
    shape = relevance.shape
    p = np.where(domain(composite, settings), tally.p_values().reshape(shape), np.nan)
    beyond = tally.quantile().reshape(shape)
    mask = np.abs(relevance.values) > beyond
    variables = _map(
        NULLS, "null networks", p, mask, settings, relevance.dims, settings.null_quantile
    )
    variables[p_name(NULLS)].attrs.update(
        question="a small p-value speaks against: networks trained on shuffled labels have as "
        "large a composite",
        comment="share of null networks whose composite is at least as far from zero, the networks "
        "in question counted among them",
    )
    composite = composite.assign(variables)
    composite["null_quantile"] = (
        relevance.dims,
        np.where(np.isfinite(beyond), beyond, np.nan).astype(np.float32),
        {
            "long_name": "absolute relevance that a composite must exceed to lie beyond the "
            f"{settings.null_quantile:g} quantile of networks trained on shuffled labels",
            "units": "1",
            "comment": "missing where there are too few networks",
        },
        dict(COMPRESSED),
    )
    composite[f"networks_{NULLS}"] = (
        relevance.dims[:1],
        tally.networks.astype(np.int32),
        {"long_name": "number of null networks that have maps of the class", "units": "1"},
        {"dtype": "int32", "_FillValue": None},
    )
    return composite


def with_seed_agreement(composite: xr.Dataset) -> xr.Dataset:
    """Return the composite with ``sign_agreement_seeds``, where there are several seeds."""
    if composite.sizes[dims.SEED] < 2:
        return composite
    mean = composite["relevance"]
    maps = composite["relevance_by_seed"].transpose(dims.SEED, *mean.dims).values
    return _agreement(
        composite,
        "sign_agreement_seeds",
        sign_agreement(maps, mean.values),
        "share of seeds whose mean relevance has the sign of the mean over all seeds",
    )


def with_method_agreement(composites: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return composites, by method, with ``sign_agreement_methods`` where that says anything.

    Only methods whose relevance has two signs take part, and only where there are several and all
    have the same classes.
    """
    signed = [name for name, each in composites.items() if int(each.attrs["signed"])]
    found = dict(composites)
    classes = {tuple(composites[name][dims.CLASS].values.tolist()) for name in signed}
    if len(signed) < 2 or len(classes) > 1:
        return found
    maps = np.stack([composites[name]["relevance"].values for name in signed])
    for name in signed:
        found[name] = _agreement(
            composites[name],
            "sign_agreement_methods",
            sign_agreement(maps, composites[name]["relevance"].values),
            "share of the run's methods with two signs whose mean relevance has the sign of this "
            f"one's: {', '.join(signed)}",
        )
    return found


def domain(composite: xr.Dataset, settings: Significance) -> npt.NDArray[np.bool_]:
    """Return where tests are wanted (channel, lat, lon), as far as settings tell."""
    shape = tuple(composite.sizes[name] for name in dims.MAP_DIMS)
    if settings.region is None:
        return np.ones(shape, dtype=bool)
    inside = settings.region.contains(composite[dims.LAT].values, composite[dims.LON].values)
    return np.broadcast_to(inside, shape).copy()


COMPRESSED: Final[dict[str, Any]] = {
    "dtype": "float32",
    "_FillValue": np.float32(np.nan),
    "zlib": True,
    "complevel": 4,
    "shuffle": True,
}


def _map(
    name: str,
    readable: str,
    p: npt.NDArray[np.float64],
    mask: npt.NDArray[np.bool_],
    settings: Significance,
    over: tuple[Hashable, ...],
    quantile: float | None = None,
    what: str = "mean relevance",
) -> dict[str, xr.Variable]:
    """Return p-values, mask, and counts of cells of one test."""
    import xarray as xr

    tested = np.isfinite(p)
    mask = mask & tested
    flags = np.where(tested, mask, NOT_TESTED).astype(np.int8)
    where = "all of the grid" if settings.region is None else settings.region.describe()
    if quantile is not None:
        rule = f"absolute relevance beyond the {quantile:g} quantile of the null networks"
    elif settings.correction == "fdr":
        rule = (
            f"false discovery rate alpha_FDR = {settings.alpha:g} over the tested cells of each "
            "map (Benjamini and Hochberg 1995)"
        )
    else:
        rule = f"p-value at most {settings.alpha:g} in each cell, no correction for many cells"
    found = {
        p_name(name): xr.Variable(
            over,
            p.astype(np.float32),
            {"long_name": f"p-value of the {what}, {readable}", "units": "1"},
            dict(COMPRESSED),
        ),
        mask_name(name): xr.Variable(
            over,
            flags,
            {
                "long_name": f"whether the {what} is significant, {readable}",
                **FLAGS,
                "rule": rule,
                "domain": f"cells with relevance, {where}",
                "ancillary_variables": p_name(name),
            },
            {"dtype": "int8", "_FillValue": NOT_TESTED, "zlib": True},
        ),
    }
    counts = {
        f"cells_{name}": (tested, "number of cells tested"),
        f"cells_significant_{name}": (mask, "number of significant cells"),
    }
    for each, (held, text) in counts.items():
        found[each] = xr.Variable(
            over[:2],
            held.sum(axis=(-2, -1), dtype=np.int32),
            {"long_name": f"{text}, {readable}", "units": "1", "domain": where},
            {"dtype": "int32", "_FillValue": None},
        )
    return found


def _agreement(
    composite: xr.Dataset, name: str, values: npt.NDArray[np.float64], text: str
) -> xr.Dataset:
    composite = composite.copy()
    composite[name] = (
        composite["relevance"].dims,
        values.astype(np.float32),
        {"long_name": text, "units": "1", "comment": "a map that is zero agrees with no sign"},
    )
    composite[name].encoding = dict(COMPRESSED)
    return composite


def drawn(tests: Sequence[str], composite: xr.Dataset) -> str | None:
    """Return the first of the tests that the composite has, which is drawn on its maps."""
    return next((name for name in tests if mask_name(name) in composite), None)
