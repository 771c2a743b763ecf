"""Nights on the public data sets that lie beside the checkout, and how their reference figures are compared."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "include" / "definitions" / "examples"
# Read when the module is imported: tests themselves start without any HANSEI_ variable.
DATA = Path(os.environ.get("HANSEI_DATA") or REPOSITORY.parent / "shared" / "data")
TOLERANCE = 5.000001e-7  # the reference is rounded to 6 decimals


@dataclass(frozen=True)
class DataSet:
    """A public data set: its name in the reference, the definitions that read it, and the end of its one night."""

    reference: str
    example: str
    night_end: datetime


INCIDENTS = DataSet("uci_incident_event_log", "incident_log", datetime(2017, 3, 1))
RAVENSTACK = DataSet("ravenstack_saas", "ravenstack", datetime(2025, 2, 1))
GARDEN = DataSet("nps_garden_retail_fr", "nps_survey", datetime(2015, 8, 1))


def require_data() -> Path:
    """The folder of the data sets; skips the test where there is none."""
    if not (DATA / "reference.json").is_file():
        pytest.skip(
            f"no real data: {DATA} has no reference.json; set HANSEI_DATA to the folder of the public data sets"
        )
    return DATA


def reference(data_set: DataSet) -> dict[str, Any]:
    """Figure -> the value that any correct pipeline reproduces."""
    figures = json.loads((require_data() / "reference.json").read_text(encoding="utf-8"))[data_set.reference]
    return {name: figure["value"] for name, figure in figures.items()}


@contextmanager
def pipeline_on(data_set: DataSet, home: Path, warehouse: sa.URL | None = None) -> Iterator[Any]:
    """A pipeline context for the data set, with a home and (default: embedded) warehouse of its own."""
    from hansei import pipeline

    environment = {
        "HANSEI_HOME": str(home),
        "HANSEI_DATA": str(require_data()),
        "HANSEI_DEFINITIONS": str(EXAMPLES / data_set.example),
        "HANSEI_IDENTITY_KEY": "a key for public data, kept the same in every home",
        "HANSEI_QUARANTINE_KEY": base64.urlsafe_b64encode(b"public data hides no person here").decode(),
    }
    if warehouse is not None:
        environment["HANSEI_WAREHOUSE"] = warehouse.render_as_string(hide_password=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield pipeline.context(now=lambda: data_set.night_end)


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Where two figures differ, by place; numbers are the same when they agree to 6 decimals."""
    if isinstance(expected, dict) and isinstance(found, dict):
        places = [f"{place}.{name}: only on one side" for name in sorted(found.keys() ^ expected.keys())]
        for name in found.keys() & expected.keys():
            places += differences(found[name], expected[name], f"{place}.{name}")
        return places
    if isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return [f"{place}: {len(found)} rows, not {len(expected)}"]
        return [
            text
            for row, pair in enumerate(zip(found, expected, strict=True))
            for text in differences(*pair, f"{place}[{row}]")
        ]
    if isinstance(found, (date, datetime)):
        found = str(found)
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        is_same = found is not None and abs(float(found) - expected) <= TOLERANCE
    else:
        is_same = found == expected
    return [] if is_same else [f"{place}: {found!r}, not {expected!r}"]
