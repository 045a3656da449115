"""What is done is kept, what is not is made, nothing is mixed; same file and seed, same bits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.stages.conftest import Command


def digests(folder: Path, pattern: str) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob(pattern))
    }


def ok(climxai: Command, *arguments: object) -> str:
    done = climxai(*arguments)
    assert done.code == 0, done.err
    return done.out + done.err


def test_a_second_run_makes_nothing_again(climxai: Command, experiment: Path) -> None:
    ok(climxai, "run", experiment)
    out = experiment.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix == ".nc"}
    said = ok(climxai, "train", experiment) + ok(climxai, "explain", experiment)
    assert "already trained, kept" in said
    assert "of which 0 were made now" in said
    kept = {p: t for p, t in before.items() if "composites" not in p.parts}
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_same_seed_same_bits(climxai: Command, experiment: Path) -> None:
    root = experiment.parent
    for name in ("first", "second"):
        ok(climxai, "run", experiment, "--set", f"output={root / name}")
    for pattern in ("weights.safetensors", "shard-*.nc", "history.csv"):
        first = digests(root / "first", pattern)
        assert first
        assert first == digests(root / "second", pattern)


def test_a_killed_explain_goes_on_where_it_stopped(
    climxai: Command, experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from climxai.stages import explain as stage

    root = experiment.parent
    ok(climxai, "train", experiment)
    ok(climxai, "explain", experiment, "--set", f"output={root / 'out'}")
    unbroken = digests(root / "out", "shard-*.nc")
    for path in (root / "out" / "relevance").rglob("*.nc"):
        path.unlink()
    (root / "out" / "relevance" / "index.json").unlink()

    written = []
    real = stage.write_netcdf

    def killed_at_the_fourth(dataset: object, path: Path) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        real(dataset, path)

    monkeypatch.setattr(stage, "write_netcdf", killed_at_the_fourth)
    done = climxai("explain", experiment)
    assert done.code == 130
    assert "interrupted" in done.err
    assert len(digests(root / "out", "shard-*.nc")) == 3
    assert not list((root / "out").rglob("*.part-*"))

    monkeypatch.setattr(stage, "write_netcdf", real)
    said = ok(climxai, "explain", experiment)
    assert f"of which {len(unbroken) - 3} were made now" in said
    assert digests(root / "out", "shard-*.nc") == unbroken


def test_a_damaged_shard_is_made_again(climxai: Command, experiment: Path) -> None:
    ok(climxai, "train", experiment)
    ok(climxai, "explain", experiment)
    root = experiment.parent / "out"
    before = digests(root, "shard-*.nc")
    victim = root / "relevance" / "eps" / "seed-1" / "shard-00001.nc"
    victim.write_bytes(victim.read_bytes()[:2000])
    assert climxai("composite", experiment).code == 5
    said = ok(climxai, "explain", experiment)
    assert "of which 1 were made now" in said
    assert digests(root, "shard-*.nc") == before


def test_changed_settings_make_new_results_and_mix_nothing(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "run", experiment)
    # Fewer, larger shards: the old ones must not stand beside the new ones.
    said = ok(climxai, "explain", experiment, "--set", "compute.rows_per_shard=500")
    assert "of which 8 were made now" in said  # two seeds, four methods, one shard each
    assert len(list((experiment.parent / "out").rglob("shard-*.nc"))) == 8
    ok(climxai, "composite", experiment)


def test_other_data_settings_are_refused_until_trained_again(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "run", experiment)
    done = climxai("composite", experiment, "--set", "label.classes.warm.above=0.6")
    assert done.code == 5
    assert "run `climxai train` and `climxai explain` again" in done.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("explain.objective=true_class", "another `explain.objective`"),
        ("explain.samples=test", "another `explain.samples`"),
        ("explain.methods.1.rule=zero", "the relevance of eps in"),
    ],
)
def test_relevance_made_otherwise_is_not_composited(
    climxai: Command, experiment: Path, change: str, said: str
) -> None:
    ok(climxai, "train", experiment)
    ok(climxai, "explain", experiment)
    done = climxai("composite", experiment, "--set", change)
    assert done.code == 5
    assert said in done.err
    assert "run `climxai explain` again" in done.err


def test_networks_trained_anew_need_explaining_anew(climxai: Command, experiment: Path) -> None:
    ok(climxai, "run", experiment)
    ok(climxai, "train", experiment, "--set", "train.epochs=3")
    done = climxai("composite", experiment, "--set", "train.epochs=3")
    assert done.code == 5
    assert "made from other networks" in done.err


@pytest.mark.parametrize("stage", ["train", "explain", "composite"])
def test_two_runs_in_one_directory_at_once(climxai: Command, experiment: Path, stage: str) -> None:
    from climxai.core.lock import locked

    with locked(experiment.parent / "out", "train"):
        done = climxai(stage, experiment)
    assert done.code == 5
    assert "is in use by `climxai train`" in done.err


@pytest.mark.parametrize("stage", ["train", "composite"])
def test_ctrl_c_leaves_nothing_half_written(
    climxai: Command, experiment: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    if stage == "composite":
        ok(climxai, "train", experiment)
        ok(climxai, "explain", experiment)
    where = {
        "train": "climxai.models.training.fit.fit",
        "composite": "climxai.composites.composite.compose",
    }

    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where[stage], interrupted)
    done = climxai(stage, experiment)
    assert done.code == 130
    out = experiment.parent / "out"
    assert not list(out.rglob("*.part-*"))
    assert not (out / ".climxai.lock").exists()
    assert not list((out / "composites").glob("*.nc"))
    monkeypatch.undo()


def test_explaining_with_settings_not_trained_with_is_refused(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "train", experiment)
    for change in ("network.hidden=[4]", "train.epochs=3", "split.gap=5"):
        done = climxai("explain", experiment, "--set", change)
        assert done.code == 4
        assert "run `climxai train` again" in done.err
