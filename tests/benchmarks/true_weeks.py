"""The true distribution of a week's demand on a generated chain, from those of its days."""

import numpy as np

from shelfcast.panel import FloatArray

# Rows at once: a week's distribution is a row of thousands of numbers.
_AT_ONCE = 400


def weekly_distribution(daily: FloatArray, visit: FloatArray, dispersion: FloatArray, most: int) -> FloatArray:
    """P(D <= x) of x = 0..most - 1, shape (n, most), of the sum of independent days.

    daily: true means, shape (n, days), units; visit, dispersion: shape (n,), as in shelfcast.generator.demand: a day's
    demand is 0 with the chance 1 - visit, else negative binomial of mean daily / visit. The generating function of a
    sum is the product of its parts'; on the unit circle it is the Fourier transform of the distribution, of which what
    lies at `most` or beyond comes round to 0: that must be next to nothing.
    """
    angles = np.exp(-2j * np.pi * np.arange(most // 2 + 1) / most)
    parts = []
    for start in range(0, len(daily), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        share, k = visit[rows, None], dispersion[rows, None]
        product = np.ones((len(share), len(angles)), dtype=complex)
        for mean in daily[rows].T[:, :, None]:
            product *= 1 - share + share * (1 + mean / (share * k) * (1 - angles)) ** -k
        parts.append(np.fft.irfft(product, n=most, axis=1))
    chances = np.concatenate(parts)
    return np.asarray(np.clip(np.cumsum(chances, axis=1), 0.0, 1.0))


def quantiles(distribution: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """The least x with P(D <= x) >= level, shape (n, levels)."""
    # What the transform rounds off is no reason to be one unit off.
    reached = [distribution >= level - 1e-9 for level in levels]
    return np.stack([found.argmax(axis=1) for found in reached], axis=1).astype(np.float64)
