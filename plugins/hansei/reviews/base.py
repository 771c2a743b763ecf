"""The ground of everything typed here: frozen models, clean text, finite figures, UTC times, and one canonical JSON."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hansei.errors import HanseiError

# Line feed and tab stay: SQL and counting rules have lines. The bidirectional controls go because a name that
# carries an override would reverse the words after it.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class EvidenceError(HanseiError):
    """Evidence, or one of its parts, that cannot be what it says it is."""


class PaperError(HanseiError):
    """A document that is not fit to be kept or sent."""


class NotInstalled(HanseiError):
    """A library or font of the system, which a document needs, is not there."""


def _clean(value: Any) -> Any:
    """Text without control characters, bidirectional overrides or lone surrogates; anything else untouched."""
    if not isinstance(value, str):
        return value
    return _CONTROLS.sub("", value.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n"))


def _stable(value: float) -> float:
    """The float at twelve significant digits, so that two engines' last bits give one hash; -0.0 becomes 0.0."""
    if not math.isfinite(value):
        raise ValueError("a figure must be finite: a missing value is null")
    return float(f"{value:.12g}") + 0.0


def _utc(value: dt.datetime) -> dt.datetime:
    """An aware UTC time; a naive one is UTC already, as everything in the warehouse."""
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


Text = Annotated[str, BeforeValidator(_clean)]
Figure = Annotated[float, AfterValidator(_stable)]
Instant = Annotated[dt.datetime, AfterValidator(_utc)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


class Frozen(BaseModel):
    """The base of every type here: immutable, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def dump(content: Any) -> str:
    """Plain content as JSON with sorted keys and no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(model: Frozen) -> str:
    """The one JSON text of a model: sorted keys, no spaces, UTF-8, ISO dates, UTC times ending in Z."""
    return dump(model.model_dump(mode="json"))


def sha256(model: Frozen) -> str:
    """Hash of the canonical JSON: 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(model).encode()).hexdigest()
