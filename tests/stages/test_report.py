"""`climxai report` on a finished run: made of what stands there, and of nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.browser import browser
from tests.report.checking import Page
from tests.stages.conftest import CONFIG, Command

AUDITED = ("--set", "explain.audit=true")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    """A folder with a configuration and its finished run, for all tests of this file."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(CONFIG.format(file=tiny_file), encoding="utf-8")
    command = [sys.executable, "-m", "climxai.cli.main", "run", "tiny.yaml", *AUDITED]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert re.search(r"^report +.*report\.html", done.stdout, re.M)
    return folder


@pytest.fixture
def finished(made: Path, experiment: Path) -> Path:
    """A copy of the run beside this test's configuration."""
    return Path(shutil.copytree(made / "out", experiment.parent / "out"))


def read(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_ends_with_its_page(finished: Path) -> None:
    text = read(finished)
    found = Page(text)
    assert found.wrong == []
    assert found.dead_links(finished) == []
    assert {"asked", "data", "networks", "warnings", "composites", "samples", "audit",
            "provenance", "again", "files"} <= set(found.ids)  # fmt: skip
    shown = " ".join("".join(found.text).split())
    # Expected from the files themselves, not from the code that reads them.
    scores = json.loads((finished / "scores.json").read_text(encoding="utf-8"))
    for each in scores["seeds"]:
        assert f"{each['test']['balanced_accuracy']:.3f}" in shown
    assert (finished / "config.yaml").read_text(encoding="utf-8") in "".join(found.text)
    provenance = json.loads((finished / "provenance.json").read_text(encoding="utf-8"))
    for digest in provenance["train"]["inputs"].values():
        assert digest in shown
    # Two cells of the first two rows and columns of the 6 x 8 grid are land.
    assert "44 of 48 (92 %)" in shown
    assert "96, 1990-02 to 1998-01" in shown
    for part in ("train", "validation", "test"):
        total = scores["seeds"][0][part]["n"]
        assert re.search(rf"\b{total}\b", shown)


def test_single_samples_are_those_explained(finished: Path) -> None:
    held = re.search(r'id="moments">(.*?)</script>', read(finished), re.S)
    assert held is not None
    moments = json.loads(held.group(1))
    dates = [each["date"] for each in moments]
    assert dates == sorted(set(dates))
    index = json.loads((finished / "relevance" / "index.json").read_text(encoding="utf-8"))
    explained = sum(
        each["samples"] for each in index["shards"] if each["method"] == "lrp" and not each["seed"]
    )
    assert len(moments) == min(explained, 60)
    assert all("true" in each["words"] for each in moments)


def test_a_tidy_browser_opens_it(finished: Path) -> None:
    with browser() as tab:
        for width in (1280, 390):
            tab.show(finished / "report.html", width)
            assert tab.complaints == []
            assert tab.run("document.documentElement.scrollWidth") <= width
            tab.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
            assert tab.run("document.documentElement.scrollWidth") <= width
        assert {each.rsplit("/", 1)[1] for each in tab.requested} == {"report.html"}
        shown = "document.querySelector('#maps .panel:not([hidden]) img').alt"
        first = tab.run(shown)
        tab.run("document.querySelector('#maps input').focus()")
        tab.press("ArrowRight", 39)
        assert "by lrp," in first
        assert "by eps," in tab.run(shown)


def test_the_same_run_gives_the_same_page(
    climxai: Command, experiment: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert climxai("report", experiment, *AUDITED).code == 0
    first = read(finished)
    assert climxai("report", experiment, *AUDITED).code == 0
    # The log has grown meanwhile, and the page lists the sizes of files.
    assert read(finished).split('id="files"')[0] == first.split('id="files"')[0]


def test_without_data_and_relevance_the_rest_stands(
    climxai: Command, experiment: Path, finished: Path
) -> None:
    shutil.rmtree(finished / "relevance")
    shutil.rmtree(finished / "audit")
    done = climxai("report", experiment, *AUDITED)
    assert done.code == 0, done.err
    found = Page(read(finished))
    assert found.wrong == []
    assert found.dead_links(finished) == []
    assert "composites" in found.ids
    assert not {"samples", "audit"} & set(found.ids)


def test_another_configuration_is_said(climxai: Command, experiment: Path, finished: Path) -> None:
    done = climxai("report", experiment, *AUDITED, "--set", "train.epochs=99")
    assert done.code == 0, done.err
    assert "Another configuration" in read(finished)
    # The page is of what is there.
    assert "epochs: 12" in read(finished)


def test_nothing_to_report(climxai: Command, experiment: Path) -> None:
    done = climxai("report", experiment)
    assert done.code == 5
    assert "there is nothing to report" in done.err
    assert "climxai run" in done.err


def test_a_damaged_composite_is_named(climxai: Command, experiment: Path, finished: Path) -> None:
    before = read(finished)
    (finished / "composites" / "eps.nc").write_bytes(b"no netCDF")
    done = climxai("report", experiment, *AUDITED)
    assert done.code == 5
    assert "eps.nc" in done.err
    assert read(finished) == before


def test_it_loads_no_torch(finished: Path, experiment: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from climxai.config.experiment import load_experiment\n"
        "from climxai.stages.report import report\n"
        f"report(load_experiment(Path({str(experiment)!r})))\n"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "False"
