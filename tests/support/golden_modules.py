"""The modules beside the golden documents: no package, so that each is loaded by its file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

_GOLDEN = Path(__file__).parent.parent / "golden"


def golden_module(name: str) -> ModuleType:
    """A module of tests/golden, loaded anew."""
    spec = importlib.util.spec_from_file_location(name, _GOLDEN / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found
