"""Imports point to strictly lower layers, and Airflow stays in its three places. Read from source, nothing imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# The layers of docs/architecture.md, lowest first. A new part of the package has to be entered here.
LAYERS = [
    {"errors", "settings", "methods"},
    {"catalog"},
    {"warehouse", "board", "sources", "connections"},
    {"quality", "indicators", "signals"},
    {"reviews", "actions"},
    {"pipeline"},
    {"cli", "orchestration"},
]
LAYER_OF = {part: number for number, layer in enumerate(LAYERS) for part in layer}
# settings reads errors' types, sources take a Connection: the two that a layer shares inside.
WITHIN_A_LAYER = {("settings", "errors"), ("sources", "connections")}
# Beside dags/, which are Airflow's.
MAY_IMPORT_AIRFLOW = {"plugins/hansei/orchestration.py", "plugins/hansei_plugin.py"}
# Shells around the DAGs, outside the package.
RUN_AIRFLOW = {"include/demo/run.py", "scripts/bench.py"}

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "plugins" / "hansei"


def part_of(path: Path) -> str:
    """`catalog` for plugins/hansei/catalog/loader.py, `errors` for plugins/hansei/errors.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_names(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, those inside functions too; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


def upward_imports(part: str, source: str) -> list[str]:
    """Every import of `source`, a module of `part`, that the layers forbid."""
    faults = []
    for line, name in imported_names(source):
        root, _, rest = name.partition(".")
        if root == "" or (root == "hansei" and not rest):
            faults.append(f"{line}: {name}: import by the full name")
            continue
        target = rest.split(".")[0]
        if root != "hansei" or target in {part, "__version__"}:
            continue
        if target not in LAYER_OF:
            faults.append(f"{line}: {name}: no layer of that name")
        elif LAYER_OF[target] >= LAYER_OF[part] and (part, target) not in WITHIN_A_LAYER:
            faults.append(f"{line}: {name}: layer {LAYER_OF[target]} from layer {LAYER_OF[part]}")
    return faults


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_there_is_something_to_check() -> None:
    assert {"errors", "settings", "catalog", "board", "connections", "orchestration"} <= set(map(part_of, modules()))


def test_every_part_of_the_package_has_its_layer() -> None:
    assert {part_of(path) for path in modules()} - set(LAYER_OF) == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    assert upward_imports(part_of(path), path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("part", "source", "fault"),
    [
        ("catalog", "from hansei.warehouse import open", "1: hansei.warehouse.open: layer 2 from layer 1"),
        (
            "signals",
            "def f():\n    import hansei.indicators.values",
            "2: hansei.indicators.values: layer 3 from layer 3",
        ),
        ("reviews", "from .. import pipeline", "1: ...pipeline: import by the full name"),
        ("reviews", "from hansei.unheard import of", "1: hansei.unheard.of: no layer of that name"),
    ],
)
def test_the_check_itself_sees_a_fault(part: str, source: str, fault: str) -> None:
    assert upward_imports(part, source) == [fault]


def test_airflow_is_imported_in_its_three_places_only() -> None:
    users = {
        path.relative_to(REPOSITORY).as_posix()
        for folder in ("plugins", "include", "scripts")
        for path in (REPOSITORY / folder).rglob("*.py")
        if any(name.split(".")[0] == "airflow" for _, name in imported_names(path.read_text("utf-8")))
    }
    assert users - RUN_AIRFLOW == MAY_IMPORT_AIRFLOW


def test_airflow_does_not_execute_the_package_as_plugins() -> None:
    """Without this line Airflow runs every module below plugins/ under its bare file name: a nested calendar.py
    displaced the standard library's."""
    ignored = (REPOSITORY / "plugins" / ".airflowignore").read_text("utf-8").splitlines()
    assert "hansei/" in ignored


def test_nobody_gives_birth_to_helpers_or_utils() -> None:
    assert [path.name for path in modules() if path.stem in {"helpers", "utils", "helper", "util", "common"}] == []
