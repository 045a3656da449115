"""What every attribution method returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Relevance:
    """Relevance of input cells for an explained scalar.

    Parameters
    ----------
    values
        Relevance [sample, channel, lat, lon], shaped like the input.
    output
        The explained scalar [sample]: what a conserving method distributes.
    reference
        The scalar [sample] at the reference the explanation compares with, or None.
    handed
        Relevance [sample] that was handed out where it is not the output, else None: what a
        conserving method's map adds up to.
    """

    values: Tensor
    output: Tensor
    reference: Tensor | None = None
    handed: Tensor | None = None
