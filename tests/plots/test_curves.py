"""Loss curves from rows and from files."""

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError, OutputError
from climxai.plots.curves import loss_curves
from climxai.plots.style import save_figure

REFERENCE = Path(__file__).with_name("reference") / "curves.png"


def history(seed: int, epochs: int = 40, validated: bool = True) -> list[dict[str, float]]:
    rows = []
    for epoch in range(1, epochs + 1):
        row = {
            "epoch": epoch,
            "train_loss": 0.6 * np.exp(-epoch / (8 + seed)) + 0.05,
            "train_accuracy": 1 - 0.5 * np.exp(-epoch / 6),
        }
        if validated:
            row["validation_loss"] = row["train_loss"] + 0.05 + 0.002 * epoch
            row["validation_accuracy"] = row["train_accuracy"] - 0.02 * (1 + seed)
        rows.append(row | {"learning_rate": 0.001})
    return rows


def write(rows, path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_curves_look_like_the_stored_ones(tmp_path):
    figure = loss_curves({s: history(s) for s in (0, 1, 2)}, best_epochs={0: 20, 1: 22}, dpi=60)
    save_figure(figure, [tmp_path / "curves.png"])
    assert compare_images(str(REFERENCE), str(tmp_path / "curves.png"), 4.0) is None


def test_lines_hold_the_numbers_given():
    rows = history(0)
    figure = loss_curves({7: rows}, best_epochs={7: 30})
    loss, accuracy = figure.axes
    train, validation, best = loss.get_lines()
    np.testing.assert_allclose(train.get_ydata(), [row["train_loss"] for row in rows])
    np.testing.assert_allclose(validation.get_ydata(), [row["validation_loss"] for row in rows])
    assert best.get_xdata() == [30]
    assert best.get_ydata() == [rows[29]["validation_loss"]]
    np.testing.assert_allclose(
        accuracy.get_lines()[1].get_ydata(), [row["validation_accuracy"] for row in rows]
    )
    assert [t.get_text() for t in accuracy.get_legend().get_texts()] == ["seed 7"]


@pytest.mark.parametrize("best", [{}, {3: 5}])
def test_files_give_the_same_picture_as_rows(tmp_path, best):
    path = write(history(3), tmp_path / "history.csv")
    for name, source in (("rows", history(3)), ("file", path)):
        save_figure(loss_curves({3: source}, best_epochs=best), [tmp_path / f"{name}.png"])
    assert (tmp_path / "rows.png").read_bytes() == (tmp_path / "file.png").read_bytes()


@pytest.mark.parametrize("gone", ["missing", "empty", "nan"])
def test_without_validation_only_training_is_drawn(gone):
    rows = history(0, validated=False)
    if gone != "missing":
        value = "" if gone == "empty" else float("nan")
        rows = [row | {"validation_loss": value, "validation_accuracy": value} for row in rows]
    figure = loss_curves({0: rows})
    assert [len(axes.get_lines()) for axes in figure.axes] == [1, 1]
    assert "no validation" in figure.texts[1].get_text()


def test_histories_that_cannot_be_drawn_are_explained(tmp_path):
    with pytest.raises(DataError, match="no training histories"):
        loss_curves({})
    with pytest.raises(DataError, match="seed 4 holds no epochs"):
        loss_curves({4: []})
    with pytest.raises(DataError, match="lacks the columns train_accuracy"):
        loss_curves({0: [{"epoch": 1, "train_loss": 2}]})
    with pytest.raises(DataError, match="cannot be read"):
        loss_curves({0: tmp_path / "none.csv"})
    with pytest.raises(DataError, match="not a number"):
        loss_curves({0: [{"epoch": 1, "train_loss": "x", "train_accuracy": 1}]})


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"found \.gif"):
        save_figure(loss_curves({0: history(0)}), [tmp_path / "a.gif"])
    assert not list(tmp_path.iterdir())
