"""What `hansei new source` writes is sound, and its test passes as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hansei import cli
from hansei.catalog import load_catalog
from hansei.settings import load_settings


def test_every_scaffold_loads_and_its_test_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path))
    for kind in ("files", "database", "rest"):
        monkeypatch.setattr("sys.argv", ["hansei", "new", "source", kind, f"my_{kind}"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}))
    assert {source.kind for source in catalog.sources.values()} == {"files", "database", "rest"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.returncode == 0, told.stdout
    assert "3 passed" in told.stdout
