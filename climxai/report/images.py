"""Pictures inside the page: at the resolution of a screen, the files beside it have more."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.core.errors import OutputError
from climxai.report.markup import Html, tag

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WIDEST: Final = 1120
"""Pixels: the column of the page on a screen of middling density."""
QUALITY: Final = 82
COLOURS: Final = 160
"""Of PNG, where Pillow was built without WebP."""
SMALL: Final = 40_000
"""Bytes of a file that is taken as it is."""


def embedded(path: Path) -> tuple[str, tuple[int, int]]:
    """Return a PNG file as a data address, and its width and height in pixels.

    Raises
    ------
    OutputError
        When the file is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if picture.width <= WIDEST and path.stat().st_size <= SMALL:
                return _address(path.read_bytes(), "png"), picture.size
            picture.load()
            return _reduced(_flat(picture))
    except (OSError, UnidentifiedImageError) as error:
        raise OutputError(
            f"{path} is no picture that can be read ({error}): make it again"
        ) from error


def embedded_pixels(pixels: npt.NDArray[np.uint8]) -> str:
    """Return pixels [row, column, 3] as a data address."""
    from PIL import Image

    return _encoded(Image.fromarray(pixels))


def figure(
    path: Path,
    shown: str,
    caption: Any,
    *,
    href: str | None = None,
    **attributes: Any,
) -> Html:
    """Return a picture with its caption.

    Parameters
    ----------
    path
        The PNG file.
    shown
        What can be seen, in words: read aloud in place of the picture.
    caption
        Text or markup below it.
    href
        Where the picture's own file is, relative to the page.
    attributes
        Of the figure.
    """
    address, (wide, high) = embedded(path)
    image = tag("img", src=address, alt=shown, width=wide, height=high)
    if href is not None:
        from urllib.parse import quote

        full = tag("a", "Full-size file", href="./" + quote(href), class_="file")
        caption = [caption, " ", full] if caption else full
    return tag("figure", image, tag("figcaption", caption), **attributes)


def _flat(picture: Any) -> Any:
    """Return a picture on white, without transparency."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "P"):
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _reduced(picture: Any) -> tuple[str, tuple[int, int]]:
    from PIL import Image

    if picture.width > WIDEST:
        high = round(picture.height * WIDEST / picture.width)
        picture = picture.resize((WIDEST, high), Image.Resampling.LANCZOS)
    return _encoded(picture), picture.size


def _encoded(picture: Any) -> str:
    from PIL import Image, features

    held = io.BytesIO()
    if features.check("webp"):
        picture.save(held, "WEBP", quality=QUALITY, method=4)
        return _address(held.getvalue(), "webp")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(held, "PNG")
    return _address(held.getvalue(), "png")


def _address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")
