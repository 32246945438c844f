"""How far a measured share can be trusted."""

from __future__ import annotations

import math

Z_95 = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, right / n. Source: Wilson 1927; unlike the normal one it fits shares near 1."""
    share = right / n
    centre = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)
