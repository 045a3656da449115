"""Noise that is red in space and time: neighbours in both resemble each other."""

from __future__ import annotations

import numpy as np

from climxai.data.sample.ocean import Array


def red_series(random: np.random.Generator, months: int, memory: float) -> Array:
    """Return a first-order autoregression [month]: variance 1, lag-1 correlation ``memory``."""
    kicks = random.standard_normal(months)
    series = np.empty(months)
    series[0] = kicks[0]
    for month in range(1, months):
        series[month] = memory * series[month - 1] + np.sqrt(1 - memory**2) * kicks[month]
    return series


class RedNoise:
    """Maps of unit variance whose correlation falls off over ``length`` degrees of great circle.

    White noise smoothed along meridians and, in Fourier space, around circles of latitude; each
    cell is scaled back to variance 1; months follow each other as a first-order autoregression.

    Parameters
    ----------
    random
        Where the noise comes from.
    lat
        1-D cell centres, degrees north.
    columns
        Number of equally wide cells around the globe.
    length
        Standard deviation of the smoothing, degrees.
    memory
        Correlation of one month with the next, at each cell.
    """

    def __init__(
        self, random: np.random.Generator, lat: Array, columns: int, length: float, memory: float
    ) -> None:
        self._random, self._memory, self._columns = random, memory, columns
        apart = (lat[:, None] - lat[None, :]) / length
        along = np.exp(-(apart**2) / 2)
        self._along = along / np.sqrt((along**2).sum(axis=1, keepdims=True))
        wave = np.arange(columns // 2 + 1)
        # Near the poles a circle of latitude is short: limited, or a whole row becomes one number.
        around = np.deg2rad(length) / np.maximum(np.cos(np.deg2rad(lat)), 0.2)
        response = np.exp(-((wave[None, :] * around[:, None]) ** 2) / 2)
        full = np.where((wave == 0) | (2 * wave == columns), 1, 2)
        self._response = response / np.sqrt((full * response**2).sum(1, keepdims=True) / columns)
        self._state = self._draw()

    def _draw(self) -> Array:
        white = self._random.standard_normal((self._along.shape[0], self._columns))
        # einsum rather than @: the same order of additions on every machine.
        smooth = np.einsum("ij,jk->ik", self._along, white)
        waves = np.fft.rfft(smooth, axis=1) * self._response
        return np.asarray(np.fft.irfft(waves, n=self._columns, axis=1))

    def next(self) -> Array:
        """Return the map [lat, lon] of the next month."""
        current = self._state
        self._state = self._memory * current + np.sqrt(1 - self._memory**2) * self._draw()
        return current
