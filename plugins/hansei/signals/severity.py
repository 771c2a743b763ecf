"""How grave a breach is: from how far the value lies beyond its limit, how many cases it touches, and what is at stake.

Each of three questions that is answered with yes makes a breach one step graver. A convention of ours; no standard
exists.

| Question | Yes, where |
|---|---|
| Is it far? | the value lies beyond the limit by a quarter of its size or more; with no distance: the critical one |
| Is it wide? | the segment holds a quarter of all cases of the period or more |
| Is it risky? | a risk of the register watches the indicator and is graded high or extreme |

No yes is `general`, one is `important`, two or three are `major`.
"""

from __future__ import annotations

import numpy as np

SEVERITIES = ("general", "important", "major")  # mildest first; as numbers 0, 1, 2
FAR = 0.25
WIDE = 0.25


def severities(distance: np.ndarray, is_critical: np.ndarray, reach: np.ndarray, is_risky: np.ndarray) -> np.ndarray:
    """Numbers of SEVERITIES, int8, in the shape of the arguments.

    `distance`: how far a value lies beyond its limit, as a share of the limit's size; `reach`: share of the period's
    cases that lie in the segment; NaN where there is none. `is_critical`: the critical limit was broken.
    """
    is_far = np.where(np.isnan(distance), is_critical, distance >= FAR)
    answers = is_far.astype("int8") + (reach >= WIDE) + np.asarray(is_risky, dtype=bool)
    return np.minimum(answers, len(SEVERITIES) - 1).astype("int8")
