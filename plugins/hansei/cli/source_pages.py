"""The pages of ready source definitions: what people wrote, with the coverage matrix that the definition gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hansei.catalog import Catalog
from hansei.catalog.documents import parse, read_document
from hansei.catalog.rest import Pages
from hansei.catalog.row_filters import RowFilter
from hansei.catalog.source_mappings import ColumnMapping, EntityMapping
from hansei.catalog.sources import Resource, Source
from hansei.errors import HanseiError

BEGIN = "<!-- From here to the end mark `make docs` writes, from the definition. -->"
END = "<!-- End mark. -->"
INDEX = "ready.md"
# A definition belongs to the first group of which it delivers an entity.
GROUPS = {
    "Tickets": "tickets",
    "CRM": "accounts",
    "Surveys": "survey_responses",
    "Bots and calls": "conversations",
    "Availability": "service_outages",
}
# Longer value maps are told by their length; the definition lists them.
WORDS_SHOWN = 8


def source_pages(catalog: Catalog, docs: Path) -> dict[Path, str]:
    """Every page of docs/sources that has the two marks, with the part between them written anew, and the index.

    Raises HanseiError where a page has no definition of its name, or a mark without the other.
    """
    pages, rows = {}, []
    for path in sorted((docs / "sources").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if BEGIN not in text and END not in text:
            continue
        example = catalog.include / "definitions" / "examples" / path.stem
        sources = ready_sources(example)
        if not sources or text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
            found = "has marks for the matrix, but " + ("not one of each" if sources else f"{example} holds no source")
            raise HanseiError(str(path), found, f"keep {BEGIN} before {END}, in a page named after its definition")
        matrix = "\n".join(line for source in sources for line in coverage_matrix(catalog, source))
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        pages[path] = f"{before}{BEGIN}\n\n{matrix}\n\n{END}{after}"
        rows += [(_title(text), path.name, source) for source in sources]
    pages[docs / "sources" / INDEX] = "\n".join(_index(rows)) + "\n"
    return pages


@cache
def ready_sources(example: Path) -> tuple[Source, ...]:
    """The sources of a directory of ready definitions."""
    found = [parse(read_document(path), Source) for path in sorted((example / "sources").glob("*.yaml"))]
    return tuple(source for source in found if source is not None)


def coverage_matrix(catalog: Catalog, source: Source) -> Iterator[str]:
    """Markdown: what is asked, what each canonical column is made of, what is not delivered, what is left out."""
    if source.kind == "rest":
        yield "## What is asked\n"
        yield "| resource | request | rows | window |\n|---|---|---|---|"
        yield from (_asked(name, resource, source) for name, resource in source.resources.items())
        yield ""
    yield "## What becomes of it\n"
    yield "Required columns are **bold**. What has no row here is not delivered.\n"
    for mapping in source.entities:
        yield f"### {mapping.entity}, from {mapping.resource}{_conditions(mapping.where)}\n"
        yield "| column | from | how |\n|---|---|---|"
        yield from _columns(catalog, mapping)
        yield ""
    for entity_id in source.entity_ids:
        entity = catalog.entities[entity_id]
        mapped = {column for item in source.entities if item.entity == entity_id for column in item.columns}
        missing = [column for column in entity.columns if column not in mapped]
        if missing:
            yield f"- `{entity_id}` lacks {', '.join(f'`{column}`' for column in missing)}."
    yield from _besides(source)
    ignored = {field: None for resource in source.resources.values() for field in resource.ignore}
    if ignored:
        yield f"- Known and left out: {', '.join(f'`{field}`' for field in ignored)}."


def _besides(source: Source) -> Iterator[str]:
    """What the source tells of its rows besides the rows."""
    for deleted in source.deleted_keys:
        yield f"- Deleted rows of `{deleted.entity}` are listed by `{deleted.resource}`."
    for keys in source.keys:
        days = f"{keys.every.days} days" if keys.every.days > 1 else "day"
        yield f"- Rows of `{keys.entity}` that vanish without a word are found by `{keys.resource}`, every {days}."
    for counts in source.counts:
        yield f"- `{counts.entity}` are held against the counts of `{counts.resource}`, by `{counts.counted_on}`."


def _columns(catalog: Catalog, mapping: EntityMapping) -> Iterator[str]:
    columns = catalog.entities[mapping.entity].columns
    for name, column in mapping.columns.items():
        title = f"**`{name}`**" if columns[name].required else f"`{name}`"
        personal = columns[name].personal_class
        yield f"| {title} | {_origin(column)} | {_how(column, personal)} |"
    if mapping.deleted_at is not None:
        yield f"| `deleted_at` | {_origin(mapping.deleted_at)} | {_how(mapping.deleted_at, 'none')} |"


def _origin(mapping: ColumnMapping) -> str:
    if mapping.constant is not None:
        return f"always {_code(mapping.constant)}"
    paths = (mapping.path,) if isinstance(mapping.path, str) else mapping.path
    return " and ".join(_code(path) for path in paths)


def _how(mapping: ColumnMapping, personal_class: str) -> str:
    """The steps of a mapping, in the order in which they are taken."""
    steps = []
    if mapping.extract:
        steps.append(
            "domain of the address" if mapping.extract == "email_domain" else f"the part {_code(mapping.extract)}"
        )
    if mapping.same_as:
        steps.append(f"{_code(mapping.same_as.then)} where it equals {_code(mapping.same_as.path)}")
    if mapping.values is not None:
        shown = [f"{_code(theirs)} → {_code(ours)}" for theirs, ours in mapping.values.items()]
        steps.append(", ".join(shown) if len(shown) <= WORDS_SHOWN else f"{len(shown)} words, listed in the definition")
    if mapping.other is not None:
        steps.append(f"any other word → {_code(mapping.other)}")
    if mapping.default is not None:
        steps.append(f"where it is missing {_code(mapping.default)}")
    if mapping.format is not None:
        formats = (mapping.format,) if isinstance(mapping.format, str) else mapping.format
        steps.append(f"read as {', '.join(_code(item) for item in formats)}")
    if mapping.unit:
        steps.append(f"in {mapping.unit}" + (f" since {mapping.since}" if mapping.since else ""))
    if mapping.turned:
        steps.append(f"turned by {mapping.turned.by} of {mapping.turned.around}")
    if mapping.plus:
        steps.append(f"plus {_code(mapping.plus.path)} {mapping.plus.unit}")
    if mapping.when:
        steps.append(f"only{_condition(mapping.when)}")
    if mapping.known_at:
        steps.append(f"from {_code(mapping.known_at)} on")
    if mapping.instance:
        steps.append(f"key of {_code(mapping.instance)}")
    if mapping.policy or personal_class == "direct":
        words = {
            "drop": "dropped",
            "keep": "kept",
            "redact": "redacted",
            "mask": "masked",
            "generalise": "made coarser",
        }
        steps.append(words.get(mapping.policy.kind if mapping.policy else "", "pseudonym"))
    elif personal_class == "free_text":
        steps.append("redacted")
    return "; ".join(steps)


def _conditions(rules: tuple[RowFilter, ...]) -> str:
    """` where ... and ...`, or nothing."""
    return " and".join(map(_condition, rules)).replace(" and where", " and")


def _condition(rule: RowFilter) -> str:
    if rule.equals is not None:
        return f" where {_code(rule.path)} is {' or '.join(_code(word) for word in rule.equals)}"
    if rule.has_key is not None:
        return f" {'with' if rule.has_key else 'without'} a field {_code(rule.path)}"
    return f" where {_code(rule.path)} is {'there' if rule.is_present else 'missing'}"


def _asked(name: str, resource: Resource, source: Source) -> str:
    rows = _code(resource.each or resource.records or "the answer")
    if resource.request is None:
        return f"| `{name}` | in the answers of `{resource.pages_of}` | {rows} | |"
    request = resource.request
    prefix = "" if "://" in source.api.base_url else source.api.base_url.rstrip("/")
    asked = f"`{request.verb} {_escaped(prefix + request.path)}`"
    if resource.for_each is not None:
        base = resource.for_each.resource
        asked += (
            f" per row of `{base}`{_condition(rule) if (rule := resource.for_each.where) else ''}"
            if base
            else " per value"
        )
    if request.export is not None:
        asked += f", then `{_escaped(request.export.download.path)}`"
    asked += _paged(request.paging)
    window = request.window.format if request.asks_window else "whole list" if resource.for_each is None else ""
    return f"| `{name}` | {asked} | {rows} | {window} |"


def _paged(pages: Pages | None) -> str:
    if pages is None:
        return ""
    return f", pages by {pages.by.replace('_', ' ')}" + (f" of {pages.size}" if pages.size else "")


def _code(value: object) -> str:
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _title(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1] if found else "?"


def _index(rows: list[tuple[str, str, Source]]) -> Iterator[str]:
    yield "<!-- Generated by `make docs` from the definitions; edit those. -->\n"
    yield "# Ready source definitions\n"
    yield _INTRODUCTION
    for group, entity in GROUPS.items():
        named = [row for row in rows if _group(row[2]) == entity]
        if not named:
            continue
        yield f"\n## {group}\n"
        yield "| system | kind | delivers |\n|---|---|---|"
        for title, page, source in sorted(named, key=lambda row: row[0].lower()):
            yield f"| [{title}]({page}) | {source.kind} | {', '.join(source.entity_ids)} |"


def _group(source: Source) -> str | None:
    return next((entity for entity in GROUPS.values() if entity in source.entity_ids), None)


_INTRODUCTION = """\
Each is one directory under `include/definitions/examples/`: copy it into your definitions directory, or lay it over
(`HANSEI_DEFINITIONS=/path/to/one:/path/to/another`), set the connection that its page names, then

    hansei check && hansei sources check NAME && hansei sources preview NAME

Each has been tried, night by night, against fixtures of what its system answers (`tests/contracts/`): the requests that
it makes, the rows that come of them, a second night that asks for its window only. Where a vendor publishes an OpenAPI
description, `scripts/check_vendor_contracts.py DIRECTORY` (and the test, with `HANSEI_VENDOR_CONTRACTS=DIRECTORY`)
holds paths, parameters and fields against it; the descriptions are not part of this repository.

A system that is not listed: [adding a source](README.md)."""
