"""What is wrong with composites before anything is read, with its place in the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from climxai.config.experiment import Experiment, resolved_yaml

Load = Callable[..., Experiment]
Refused = Callable[..., str]
LAST = "  objective: predicted_class\n"
SIGNED = "  - {name: lrp, rule: zero}\n  - saliency\n"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            "[{}, {id: a}, {where: month == 1}]",
            "composite.2.id: missing: of several composites only one can be without an id",
        ),
        ("[{id: a}, {id: A}]", "composite.1.id: files named 'lrp_A' are already those of the"),
        ("[{id: a}, {id: a}]", "composite.1.id: files named 'lrp_a' are already those of the"),
        ("{id: '2'}", "composite.id: files named 'lrp_2' are already those of the method lrp_2"),
        ("{id: a/b}", "composite.id: found 'a/b', expected letters, digits"),
        (
            "{select: {labels: [el_nino, nina]}}",
            "composite.select.labels.1: there is no class 'nina' in `label`. Did you mean 'la_nina",
        ),
        ("{by: [{name: outcome, of: x}]}", "composite.by.0.of: there is no class 'x' in `label`"),
        (
            "[{}, {id: d, differences: [[el_nino, la_nina], [el_nino, all]]}]",
            "composite.1.differences.1.1: there is no class 'all' in `label`",
        ),
        ("{normalise: mx}", "composite.normalise: found 'mx', expected"),
        ("{where: month = 1}", "composite.where: `month = 1`, character 7: not a condition"),
        ("{where: 'open(month)'}", "composite.where: `open(month)`, character 1: calling anything"),
        (
            "{by: {name: conditions, groups: {a: month.x}}}",
            "composite.by.groups: `month.x`, character 1: a dot after a name is not allowed",
        ),
        ("{select: {confidence: [0.9, 0.5]}}", "`confidence` is [least, largest]"),
        ("{select: {months: 13}}", "composite.select.months: found 13, expected"),
        ("{select: {sessions: DJF}}", "composite.select.sessions: unknown key. Did you mean"),
        ("{statistics: [median, modus]}", "there is no statistic named 'modus'. Known: mean"),
        ("{statistics: [median, median]}", "median is asked for twice"),
        ("{statistics: {name: quantiles, at: [0.9, 0.1]}}", "quantiles stand in ascending order"),
        ("{by: seson}", "there is no grouping named 'seson'. Did you mean 'season'?"),
        ("[]", "composite: found []"),
        ("{by: []}", "composite.by: found nothing to group by"),
        (
            "{significance: {tests: [t-test]}}",
            "composite.significance.tests.0: there is no test named 't-test'. Did you mean 't_te",
        ),
        (
            "{significance: {tests: [t_test, t_test]}}",
            "composite.significance.tests: t_test is listed twice",
        ),
    ],
)
def test_a_mistake_is_named(refused: Refused, section: str, expected: str) -> None:
    message = refused((LAST, f"{LAST}composite: {section}\n"))
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "section",
    [
        "{where: 'nino34 > 1 and month in [11, 12, 1]'}",
        "[{id: a}, {}, {id: b, by: [season, label], differences: [DJF_el_nino, DJF_la_nina]}]",
        "{by: season, differences: [DJF, JJA]}",
    ],
)
def test_what_is_right_is_taken(load: Load, section: str) -> None:
    experiment = load((LAST, f"{LAST}composite: {section}\n"))
    assert isinstance(experiment.composite, tuple)
    # One composite is written as the block it was.
    written = resolved_yaml(experiment)
    assert ("composite:\n- " in written) == section.startswith("[")


def test_tests_against_zero_are_refused_where_nothing_is_negative(
    load: Load, refused: Refused
) -> None:
    tests = "composite: {significance: {tests: [t_test, sign_test]}}\n"
    message = refused((LAST, f"{LAST}{tests}"), (SIGNED, ""))
    assert "composite.significance.tests: relevance by lrp is never negative" in message
    assert "`permutation`" in message
    more = tests.replace("sign_test", "permutation")
    load((LAST, f"{LAST}{more}"), (SIGNED, ""))
    load((LAST, f"{LAST}{tests}"))


@pytest.mark.parametrize(("networks", "fine"), [(0, True), (18, False), (19, True)])
def test_null_networks_are_enough_for_their_quantile(
    load: Load, refused: Refused, networks: int, fine: bool
) -> None:
    overrides = (f"train.null_networks={networks}",)
    if fine:
        assert load(overrides=overrides).train.null_networks == networks
    else:
        message = refused(overrides=overrides)
        assert "train.null_networks: found 18, expected 0 or at least 19" in message
