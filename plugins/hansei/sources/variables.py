"""${VARIABLES} in a definition: what differs from place to place stays out of the file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from hansei.errors import SourceError

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def expand(text: str, place: str, known: Mapping[str, str] | None = None) -> str:
    """The text with its ${VARIABLES} filled in, from `known` first and then from the environment.

    Raises SourceError with the variable's name where it is not set.
    """
    values = {**os.environ, **(known or {})}

    def value_of(match: re.Match) -> str:
        if not values.get(match[1]):
            raise SourceError(place, f"{text} names ${{{match[1]}}}, which is not set", f"export {match[1]}")
        return values[match[1]]

    return _VARIABLE.sub(value_of, text)
