"""YAML files read with the line of every key, so that a fault can name its place."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from yaml.constructor import SafeConstructor

Location = tuple[str | int, ...]
# In which people are written to.
Language = Literal["en", "zh_CN"]

_NEXT_STEPS = {
    "extra_forbidden": "remove it or correct its spelling",
    "missing": "add it",
    "literal_error": "use one of the listed words",
    "enum": "use one of the listed words",
    "string_pattern_mismatch": "use lower-case letters, digits and underscores, starting with a letter",
}


class Definition(BaseModel):
    """Base of everything that is written in YAML: frozen, and no unknown key passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Fault:
    """One mistake in one definition, printed as `file:line: key: what was found: what to do`."""

    file: Path
    line: int
    key: str
    found: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.found}: {self.next_step}"


@dataclass
class Document:
    """One YAML file: its data, and the line on which each key or item stands."""

    path: Path
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line_of(self, location: Location) -> int:
        """Line of the key at `location`, or of the nearest enclosing key that the file has."""
        while location:
            if location in self.lines:
                return self.lines[location]
            location = location[:-1]
        return 1

    def fault(self, location: Location, found: str, next_step: str) -> Fault:
        key = ".".join(str(part) for part in location) or "(whole file)"
        return Fault(self.path, self.line_of(location), key, found, next_step)


def read_document(path: Path) -> Document:
    """The file's content; syntax errors and doubled keys are returned as faults, never raised."""
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except UnicodeDecodeError as error:
        document.faults.append(Fault(path, 1, "(whole file)", f"not UTF-8 at byte {error.start}", "save it as UTF-8"))
        return document
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not YAML"
        document.faults.append(Fault(path, line, "(whole file)", f"not YAML: {problem}", "correct the syntax"))
        return document
    if node is None:
        document.faults.append(Fault(path, 1, "(whole file)", "the file is empty", "write a definition or remove it"))
        return document
    document.data = _construct(node, (), document)
    return document


def _construct(node: yaml.Node, location: Location, document: Document) -> Any:
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                line = key_node.start_mark.line + 1
                next_step = "write the keys out; an alias (*name) of a whole value is understood"
                document.faults.append(Fault(document.path, line, "<<", "merged keys are not understood", next_step))
                continue
            key = _scalar(key_node)
            here = (*location, key)
            if key in mapping:
                line = key_node.start_mark.line + 1
                dotted = ".".join(map(str, here))
                document.faults.append(Fault(document.path, line, dotted, "the key stands twice", "keep one"))
            document.lines[here] = key_node.start_mark.line + 1
            mapping[key] = _construct(value_node, here, document)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            here = (*location, index)
            document.lines[here] = item.start_mark.line + 1
            items.append(_construct(item, here, document))
        return items
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    return SafeConstructor().construct_object(node, deep=True)


def parse(document: Document, kind: type[Definition] | TypeAdapter) -> Definition | None:
    """The document as `kind`, or None with every fault added to `document.faults`.

    An adapter is for a folder whose files are of several kinds, which their key `kind` tells apart.
    """
    if document.data is None:
        return None
    if not isinstance(document.data, dict):
        found = f"a {type(document.data).__name__} where keys and values are expected"
        document.faults.append(document.fault((), found, "write `key: value` lines"))
        return None
    try:
        if isinstance(kind, TypeAdapter):
            return kind.validate_python(document.data)
        return kind.model_validate(document.data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if isinstance(kind, TypeAdapter):
                # It begins with the word of the kind, which may be a key of the file as well.
                item["loc"] = item["loc"][1:]
            document.faults.append(_fault_of(document, item))
        return None


@dataclass(frozen=True)
class _Read:
    """What a file held when it was last read, and the marks by which a changed file is known."""

    marks: tuple[int, ...]
    document: Document
    definition: Definition | None


# A process loads the catalog for every stage; of its three hundred files hardly one changes in between.
_read: dict[tuple[Path, type[Definition] | TypeAdapter], _Read] = {}
# Two writes of one size within a clock tick look the same, so a file that is younger is read anew.
_SETTLED_SECONDS = 2


def read_definition(path: Path, kind: type[Definition] | TypeAdapter) -> tuple[Document, Definition | None]:
    """The file as document and as `kind`, read again only where it changed; neither may be altered by who asks."""
    found = path.stat()
    marks = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
    known = _read.get((path, kind))
    if known is not None and known.marks == marks:
        return known.document, known.definition
    document = read_document(path)
    definition = parse(document, kind)
    if time.time() - found.st_ctime > _SETTLED_SECONDS:
        _read[path, kind] = _Read(marks, document, definition)
    return document, definition


def _fault_of(document: Document, item: dict[str, Any]) -> Fault:
    if item["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return _kind_fault(document, item)
    location = _known_location(document, tuple(item["loc"]), item["type"])
    value = item.get("input")
    if item["type"] == "missing":
        found = "is missing"
    elif item["type"] == "extra_forbidden":
        found = "is not a known key"
    elif isinstance(value, (str, int, float, bool)):
        found = f"{value!r}: {item['msg']}"
    else:
        found = item["msg"]
    return document.fault(location, found, _NEXT_STEPS.get(item["type"], "correct the value"))


def _kind_fault(document: Document, item: dict[str, Any]) -> Fault:
    """Of definitions of several kinds: the key that tells them apart is missing, or names none of them."""
    key = item["ctx"]["discriminator"].strip("'")
    where = _known_location(document, tuple(item["loc"]), item["type"])
    if item["type"] == "union_tag_not_found":
        return document.fault((*where, key), "is missing", "add it")
    found = f"{item['ctx']['tag']!r} is no kind"
    return document.fault((*where, key), found, f"use one of {item['ctx']['expected_tags'].replace(chr(39), '')}")


def _known_location(document: Document, raw: Location, kind: str) -> Location:
    """pydantic's location without the union tags and `[key]` marks that the file does not contain."""
    location: Location = ()
    for position, part in enumerate(raw):
        last_and_missing = kind == "missing" and position == len(raw) - 1
        if (*location, part) in document.lines or last_and_missing:
            location = (*location, part)
    return location or raw
