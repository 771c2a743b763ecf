"""The hand-made evidence, importable by the tests beside it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_SPEC = importlib.util.spec_from_file_location("brief_cases", Path(__file__).with_name("brief_cases.py"))
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    return _CASES


@pytest.fixture(params=sorted(_CASES.CASES), scope="session")
def case(request: pytest.FixtureRequest) -> str:
    """The name of each case in turn."""
    return request.param
