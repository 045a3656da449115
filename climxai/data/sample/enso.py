"""El Niño and La Niña of the synthetic record: when they come, how they grow, where they lie.

Two kinds of El Niño after Ashok et al. (2007) and Kug, Jin & An (2009): East Pacific events with
their centre near 105°W reaching the coast of Peru, Central Pacific events near the date line. La
Niñas are of one kind, since observed ones differ far less from each other (Kug & Ham 2011). All are
locked to the seasons and peak around December. Amplitudes are the peak of the event's mean over the
Niño3.4 box, so that both kinds count alike for the usual index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from climxai.core.region import NAMED_REGIONS
from climxai.data.sample.ocean import Array, bump

NEUTRAL, EAST, CENTRAL, COLD = range(4)
MEANINGS: Final = ("neutral", "east_pacific_el_nino", "central_pacific_el_nino", "la_nina")
"""Names of the values of ``event_type``, in order."""

THRESHOLD: Final = 0.5
"""A month belongs to an event while its own signal in Niño3.4 reaches this, degrees Celsius."""

# Chance of what comes in a winter (neutral, east, central, cold) after each kind of winter.
FOLLOWS: Final = {
    NEUTRAL: (0.34, 0.23, 0.21, 0.22),
    EAST: (0.30, 0.00, 0.10, 0.60),
    CENTRAL: (0.36, 0.16, 0.13, 0.35),
    COLD: (0.30, 0.19, 0.19, 0.32),
}
# Mean, standard deviation, least and greatest amplitude in degrees Celsius.
AMPLITUDE: Final = {
    EAST: (1.65, 0.55, 0.9, 2.8),
    CENTRAL: (1.2, 0.25, 0.8, 1.7),
    COLD: (1.1, 0.3, 0.75, 1.8),
}
# Months from 61 % of the peak to the peak, and from the peak down to 61 %.
GROWTH: Final = {EAST: (3.8, 3.2), CENTRAL: (3.6, 3.0), COLD: (4.0, 4.2)}

# Mid-continent of the Americas, degrees north and east: the Pacific lies west of it.
_AMERICAS_LAT: Final = (-56.0, -5.0, 7.0, 10.0, 18.0, 30.0, 60.0)
_AMERICAS_LON: Final = (292.0, 288.0, 283.0, 276.0, 265.0, 256.0, 245.0)


@dataclass(frozen=True)
class Event:
    """One El Niño or La Niña: kind, month of its peak, peak in °C, shift of its centre in °E."""

    kind: int
    peak: float
    amplitude: float
    shift: float

    def envelope(self, months: Array, delay: float = 0.0) -> Array:
        """Return the share of the peak, 0 to 1, at each of ``months`` (counted from the start)."""
        grow, decay = GROWTH[self.kind]
        away = months - self.peak - delay
        return np.asarray(np.exp(-((away / np.where(away < 0, grow, decay)) ** 2) / 2))

    def signed(self) -> float:
        """Return the amplitude, negative for La Niña."""
        return -self.amplitude if self.kind == COLD else self.amplitude


def draw_events(random: np.random.Generator, years: int) -> tuple[Event, ...]:
    """Draw the events of all winters that reach into the record; month 0 is its first January."""
    events = []
    kind = NEUTRAL
    for winter in range(-1, years + 1):
        kind = int(np.searchsorted(np.cumsum(FOLLOWS[kind]), random.random() * 0.999999))
        peak, size, shift = random.standard_normal(3)
        if kind == NEUTRAL:
            continue
        mean, spread, least, greatest = AMPLITUDE[kind]
        events.append(
            Event(
                kind=kind,
                peak=12 * winter + 11.5 + 0.7 * float(np.clip(peak, -2, 2)),
                amplitude=float(np.clip(mean + spread * size, least, greatest)),
                shift=4 * float(np.clip(shift, -2, 2)),
            )
        )
    return tuple(events)


def pacific(lat: Array, lon: Array) -> Array:
    """Return 1 in the Pacific, falling to 0 within a few degrees beyond the Americas."""
    coast = np.interp(lat, _AMERICAS_LAT, _AMERICAS_LON)
    beyond = np.where(lon % 360 < 100, lon % 360 + 360, lon % 360) - coast
    return np.asarray(1 / (1 + np.exp(np.clip(beyond, -60, 60) / 1.0)))


def _shape(kind: int, lat: Array, lon: Array, shift: float) -> Array:
    if kind == EAST:
        tropics = (
            bump(lat, lon, (-1, 253 + shift), (6.5, 27))
            + 0.25 * bump(lat, lon, (-8, 277), (6, 9))
            - 0.22 * bump(lat, lon, (14, 142), (10, 16))
            - 0.22 * bump(lat, lon, (-16, 158), (9, 18))
        )
    elif kind == CENTRAL:
        tropics = (
            bump(lat, lon, (0, 191 + shift), (7, 21))
            + 0.30 * bump(lat, lon, (16, 222), (8, 16))
            - 0.25 * bump(lat, lon, (-4, 272), (7, 14))
            - 0.18 * bump(lat, lon, (3, 132), (9, 12))
        )
    else:
        tropics = (
            bump(lat, lon, (-0.5, 216 + shift), (7, 31))
            - 0.25 * bump(lat, lon, (15, 142), (10, 16))
            - 0.28 * bump(lat, lon, (-17, 162), (9, 20))
        )
    return np.asarray(tropics * pacific(lat, lon))


def _in_nino34(kind: int, shift: float) -> float:
    """Return the area mean of a shape over the Niño3.4 box, on a grid of 1°."""
    box = NAMED_REGIONS["nino34"]
    lat = np.arange(box.south + 0.5, box.north)[:, None]
    lon = np.arange(box.west + 0.5, box.east)[None, :]
    area = np.cos(np.deg2rad(lat)) * np.ones_like(lon)
    return float((_shape(kind, lat, lon, shift) * area).sum() / area.sum())


def pattern(kind: int, lat: Array, lon: Array, shift: float = 0.0) -> Array:
    """Return the tropical pattern [lat, lon] whose mean over the Niño3.4 box is 1."""
    return _shape(kind, lat, lon, shift) / _in_nino34(kind, shift)


def far_pattern(lat: Array, lon: Array) -> Array:
    """Return what follows in other oceans a season later, per °C of Niño3.4."""
    inside = pacific(lat, lon)
    return np.asarray(
        (
            -0.40 * bump(lat, lon, (38, 185), (8, 24))
            + 0.35 * bump(lat, lon, (45, 228), (13, 9))
            - 0.30 * bump(lat, lon, (-32, 205), (8, 24))
        )
        * inside
        + 0.20 * bump(lat, lon, (-2, 70), (15, 22))
        + 0.22 * bump(lat, lon, (14, 315), (8, 22)) * (1 - inside)
    )


def event_types(events: tuple[Event, ...], months: Array) -> np.ndarray:
    """Return the kind of the strongest event in each month, `NEUTRAL` below the threshold."""
    kinds = np.full(months.shape, NEUTRAL, dtype=np.int8)
    strongest = np.full(months.shape, THRESHOLD)
    for event in events:
        size = event.amplitude * event.envelope(months)
        kinds[size >= strongest] = event.kind
        strongest = np.maximum(strongest, size)
    return kinds
