"""Films: a stored frame, frames that differ, GIF read back by Pillow, MP4 through a stand-in."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

from climxai.core.errors import OutputError
from climxai.plots.animation import write_film
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


def test_a_frame_looks_like_the_stored_one(world, tmp_path):
    frame = pages.film(world).draw(pages.moment(world))
    Image.fromarray(frame).save(tmp_path / "film.png")
    assert (
        compare_images(str(REFERENCE / "film.png"), str(tmp_path / "film.png"), TOLERANCE) is None
    )


def test_a_frame_does_not_depend_on_those_before(world):
    film = pages.film(world)
    first = film.draw(pages.moment(world))
    other = film.draw(pages.moment(world, 0.4, "1998-07"))
    again = film.draw(pages.moment(world))
    assert np.abs(first.astype(int) - other).max() > 100
    np.testing.assert_array_equal(first, again)


def test_frames_have_even_sides(world):
    high, wide, colours = pages.film(world).draw(pages.moment(world)).shape
    assert (high % 2, wide % 2, colours) == (0, 0, 3)


def plain(count=4):
    """Yield frames of one colour each, with all colours in a corner as in a colour bar."""
    for number in range(count):
        frame = np.full((20, 31, 3), 255, dtype=np.uint8)
        frame[5:] = [(200, 30, 30), (30, 160, 30), (30, 30, 220), (240, 200, 0)][number % 4]
        frame[0, :4] = [(200, 30, 30), (30, 160, 30), (30, 30, 220), (240, 200, 0)]
        yield frame


def test_a_gif_holds_every_frame_in_its_colours(tmp_path):
    ticks = []
    write_film(plain(), tmp_path / "f.gif", per_second=5, tick=lambda: ticks.append(1))
    assert len(ticks) == 4
    with Image.open(tmp_path / "f.gif") as film:
        assert film.n_frames == 4
        assert film.info["duration"] == 200
        assert film.info["loop"] == 0
        for number, expected in enumerate(plain()):
            film.seek(number)
            np.testing.assert_allclose(np.asarray(film.convert("RGB")), expected, atol=12)


def test_the_palette_has_the_colours_of_later_frames(world, tmp_path):
    # The first frame shows no relevance: the palette must hold the colours of the second.
    film = pages.film(world)
    moments = [pages.moment(world, 0.0), pages.moment(world)]
    frames = [film.draw(each) for each in moments]
    path = tmp_path / "f.gif"
    write_film(iter(frames), path, per_second=5, tick=lambda: None, palette=film.palette())
    assert film.palette().shape == (256, 3)
    with Image.open(path) as read:
        read.seek(1)
        away = np.abs(np.asarray(read.convert("RGB")).astype(int) - frames[1])
    # The widest step between neighbours of the palette is 4 of 255; lines and letters are blends.
    assert np.percentile(away, 99) <= 12
    assert away.mean() < 0.6


def test_frames_are_asked_for_one_by_one(tmp_path):
    waiting = []

    def lazily():
        for number, frame in enumerate(plain(4)):
            waiting.append(number)
            yield frame

    write_film(lazily(), tmp_path / "f.gif", per_second=5, tick=lambda: None)
    assert waiting == [0, 1, 2, 3]


def test_a_film_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield next(plain())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(broken(), tmp_path / "f.gif", per_second=5, tick=lambda: None)
    assert list(tmp_path.iterdir()) == []


def test_no_frame_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="no frame"):
        write_film(iter(()), tmp_path / "f.gif", per_second=5, tick=lambda: None)


def test_mp4_without_ffmpeg_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputError, match="needs the program ffmpeg"):
        write_film(plain(), tmp_path / "f.mp4", per_second=5, tick=lambda: None)


def stand_in(folder: Path, body: str) -> None:
    path = folder / "ffmpeg"
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def test_mp4_sends_raw_frames_of_even_size_to_ffmpeg(tmp_path, monkeypatch):
    stand_in(
        tmp_path,
        "import sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n"
        "assert sys.argv[sys.argv.index('-s') + 1] == '30x20'\n"
        "assert sys.argv[sys.argv.index('-r') + 1] == '5'",
    )
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    write_film(plain(3), tmp_path / "f.mp4", per_second=5, tick=lambda: None)
    sent = np.frombuffer((tmp_path / "f.mp4").read_bytes(), np.uint8).reshape(3, 20, 30, 3)
    np.testing.assert_array_equal(sent, [frame[:, :30] for frame in plain(3)])


def test_what_ffmpeg_says_is_passed_on(tmp_path, monkeypatch):
    stand_in(tmp_path, "import sys\nsys.exit('Unknown encoder')")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    with pytest.raises(OutputError, match="Unknown encoder"):
        write_film(plain(3), tmp_path / "f.mp4", per_second=5, tick=lambda: None)
    assert not (tmp_path / "f.mp4").exists()
