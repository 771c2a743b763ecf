"""Hold the shape of the SQL models: sqlfluff's layout rules (pyproject.toml) and the grain in the first line.

usage: lint_sql.py DIRECTORY   exits 1 where a file breaks a rule, or where there was nothing to check
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def main(directory: Path) -> int:
    models = sorted(directory.rglob("*.sql"))
    if not models:
        print(f"{directory}: no .sql file found: a check of nothing proves nothing", file=sys.stderr)
        return 1
    faults = [*grain_faults(models), *layout_faults(directory)]
    for fault in faults:
        print(fault)
    print(f"{len(models)} models checked, {len(faults)} faults")
    return 1 if faults else 0


def grain_faults(models: list[Path]) -> Iterator[str]:
    for model in models:
        if not model.read_text("utf-8").startswith("-- Grain: "):
            yield f"{model}:1:1: the first line does not state the grain: begin with `-- Grain: one row per ...`"


def layout_faults(directory: Path) -> Iterator[str]:
    """`file:line:column: text` of each rule that sqlfluff finds broken."""
    sqlfluff = Path(sys.executable).with_name("sqlfluff")
    command = [sqlfluff, "lint", "--disable-progress-bar", "--processes", "2", "--format", "json", directory]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        files = json.loads(answer.stdout)
    except json.JSONDecodeError:
        yield f"{directory}:1:1: sqlfluff could not run: {answer.stderr.strip() or answer.stdout.strip()}"
        return
    for file in files:
        for fault in file["violations"]:
            place = f"{file['filepath']}:{fault['start_line_no']}:{fault['start_line_pos']}"
            yield f"{place}: {fault['code']} {fault['description']}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
