"""SQL of a share's interval: models and indicators write it alike."""

from __future__ import annotations

Z95 = 1.959963984540054


def wilson(share: str, count: str) -> tuple[str, str]:
    """Ends of Wilson's 95 % interval (Wilson 1927) of `share` among `count`, within 0 and 1.

    At none and at all the interval ends exactly there; the formula only comes near, differently on each engine.
    """
    z2 = Z95 * Z95
    middle = f"({share} + {z2 / 2!r} / {count}) / (1 + {z2!r} / {count})"
    half = (
        f"{Z95!r} * SQRT({share} * (1 - {share}) / {count} + {z2 / 4!r} / ({count} * {count})) / (1 + {z2!r} / {count})"
    )
    lower = f"CASE WHEN {share} <= 0 THEN 0.0 ELSE GREATEST({middle} - {half}, 0.0) END"
    upper = f"CASE WHEN {share} >= 1 THEN 1.0 ELSE LEAST({middle} + {half}, 1.0) END"
    return lower, upper
