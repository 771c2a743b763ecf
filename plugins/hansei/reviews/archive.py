"""Where editions are kept: `<archive>/reviews/<review>/<period start>/`: documents, evidence, parts and a manifest.

An edition about one segment lies in a folder of its segment, `<review>/team-desk-7-1b0c.../<period start>/`.

The archive is a folder, or a prefix of an object storage. Every file appears whole or not at all. An edition that was
published does not change: the same evidence may be written again (a re-rendering, an erased part), other evidence of
the same period is a revision with a place of its own, `<period start>-r2/` beside the first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from markupsafe import escape

from hansei.catalog.reviews import Format, ReviewGrain
from hansei.reviews.evidence import Evidence, EvidenceError, Part, canonical_json, check_parts
from hansei.reviews.index_page import EditionEntry, index_name, render_index
from hansei.reviews.locales import LANGUAGES
from hansei.reviews.papers import MEDIA_TYPES, Papers, make_documents
from hansei.reviews.places import Place, place_of, write_atomically

BRIEF, EVIDENCE, MANIFEST = "brief.html", "evidence.json", "manifest.json"


@dataclass(frozen=True)
class Edition:
    """One edition that was completely written."""

    review_id: str
    period_start: dt.date
    revision: int
    directory: Place
    title: str
    headline: str
    evidence_sha256: str
    built_at: str
    about: str = "all"
    about_label: str = ""
    grain: ReviewGrain = "week"
    documents: tuple[Kept, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    headlines: Mapping[str, str] = field(default_factory=dict)

    @property
    def brief(self) -> Place:
        return self.directory / BRIEF


def edition_directory(
    archive: Place | str, review_id: str, period_start: dt.date, revision: int = 1, about: str = "all"
) -> Place:
    name = period_start.isoformat() if revision == 1 else f"{period_start.isoformat()}-r{revision}"
    review = place_of(archive) / "reviews" / review_id
    return (review if about == "all" else review / folder_of(about)) / name


def folder_of(segment_id: str) -> str:
    """A folder name for a segment that every file system takes: readable, and told apart by its hash alone."""
    readable = re.sub(r"[^a-z0-9]+", "-", segment_id.lower()).strip("-")[:40]
    return f"{readable}-{hashlib.sha256(segment_id.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Kept:
    """A document of an edition as its manifest names it."""

    name: str
    format: Format
    language: str
    media_type: str
    sha256: str


def documents_of(manifest: Mapping[str, Any]) -> tuple[Kept, ...]:
    """The documents that a manifest names, the principal page first; release 0.1 knew one page."""
    if "documents" not in manifest:
        return (Kept(BRIEF, "html", "en", MEDIA_TYPES["html"], manifest["brief_sha256"]),)
    return tuple(Kept(**document) for document in manifest["documents"])


def write_edition(
    archive: Place | str,
    evidence: Evidence,
    parts: Mapping[str, Part] | None = None,
    revision: int = 1,
    formats: Collection[Format] = (),
    is_indexed: bool = True,
) -> Place:
    """Render and keep an edition; the path of the brief comes back. With `is_indexed` the index lists it at once.

    `formats` come beside HTML; what the edition had before is made again in any case. Raises EvidenceError if this
    revision of the period was published from other evidence.
    """
    parts = parts or {}
    check_parts(evidence, parts)
    directory = edition_directory(archive, evidence.review_id, evidence.period_start, revision, evidence.about)
    published = _read_manifest(directory)
    text = canonical_json(evidence)
    fresh = hashlib.sha256(text.encode()).hexdigest()
    if published and published["evidence_sha256"] != fresh:
        raise EvidenceError(
            f"{_named(evidence.review_id, evidence.about)} {evidence.period_start} revision {revision}",
            f"published already, from evidence {published['evidence_sha256'][:12]}, now it is {fresh[:12]}",
            "leave it: the next brief tells what was restated; or write the next revision",
        )
    path = _write_files(directory, evidence, text, parts, formats)
    if is_indexed:
        write_index(archive)
    return path


def _write_files(
    directory: Place, evidence: Evidence, text: str, parts: Mapping[str, Part], formats: Collection[Format] = ()
) -> Place:
    """Every file of an edition; `text` is the evidence's own, which an older version may have written."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    published = documents_of(_read_manifest(directory) or {"documents": ()})
    papers = make_documents(evidence, parts, {*formats, *(kept.format for kept in published)}, digest)
    kept = _kept(directory, papers, published, parts)
    for part_id, part in parts.items():
        write_atomically(directory / "parts" / f"{part_id}.json", canonical_json(part))
    write_atomically(directory / EVIDENCE, text)
    for document in papers.documents:
        write_atomically(directory / document.name, document.content)
    manifest = {
        "about": evidence.about,
        "about_label": evidence.about_label,
        "as_of": evidence.as_of.isoformat(),
        "documents": [asdict(one) for one in kept],
        "evidence_sha256": digest,
        "grain": evidence.grain,
        "headline": str(escape(papers.headlines[evidence.languages[0]])),
        "headlines": {language: str(escape(headline)) for language, headline in papers.headlines.items()},
        "missing": {missing.name: missing.why for missing in papers.missing},
        "title": evidence.title,
        "titles": papers.titles,
    }
    # Last, since it is what says that the edition is there.
    write_atomically(directory / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return directory / BRIEF


def _kept(directory: Place, papers: Papers, published: Collection[Kept], parts: Mapping[str, Part]) -> list[Kept]:
    """What the manifest names: the documents just made, and those published that this machine cannot make anew.

    Such a one goes where a part was erased since, because it may show it.
    """
    found = [Kept(d.name, d.format, d.language, MEDIA_TYPES[d.format], d.sha256) for d in papers.documents]
    left = [one for one in published if one.name not in {document.name for document in papers.documents}]
    if any(_is_erased_now(directory, part) for part in parts.values()):
        for one in left:
            (directory / one.name).unlink(missing_ok=True)
        return found
    return [*found, *left]


def _is_erased_now(directory: Place, part: Part) -> bool:
    before = directory / "parts" / f"{part.part_id}.json"
    return part.erased_on is not None and before.exists() and before.read_text("utf-8") != canonical_json(part)


def read_manifest(
    archive: Place | str, review_id: str, period_start: dt.date, revision: int = 1, about: str = "all"
) -> dict[str, Any] | None:
    """What the manifest of an edition says; None where there is no such edition."""
    return _read_manifest(edition_directory(archive, review_id, period_start, revision, about))


def document(
    archive: Place | str, review_id: str, period_start: dt.date, revision: int = 1, about: str = "all", *, name: str
) -> bytes | None:
    """One document of an edition; None where it is not there."""
    path = edition_directory(archive, review_id, period_start, revision, about) / name
    return path.read_bytes() if path.exists() else None


def read_edition(
    archive: Place | str, review_id: str, period_start: dt.date, revision: int = 1, about: str = "all"
) -> tuple[Evidence, dict[str, Part]]:
    """The evidence and parts of an edition, checked against its manifest and against each other."""
    directory = edition_directory(archive, review_id, period_start, revision, about)
    published = _read_manifest(directory)
    if published is None:
        raise EvidenceError(f"{_named(review_id, about)} {period_start}", "no such edition", "see `hansei review list`")
    text = (directory / EVIDENCE).read_text("utf-8")
    # The text is what was hashed: a newer version of the product may know fields that it does not hold.
    if hashlib.sha256(text.encode()).hexdigest() != published["evidence_sha256"]:
        raise EvidenceError(str(directory / EVIDENCE), "not what was published", "restore it from a backup")
    evidence = Evidence.model_validate_json(text)
    found = [
        Part.model_validate_json(path.read_text("utf-8"))
        for path in sorted((directory / "parts").glob("*.json"), key=str)
    ]
    parts = {part.part_id: part for part in found}
    check_parts(evidence, parts)
    return evidence, parts


def erase_parts(
    archive: Place | str,
    review_id: str,
    period_start: dt.date,
    part_ids: Collection[str],
    on: dt.date,
    revision: int = 1,
    about: str = "all",
) -> Place:
    """Replace parts and their salts by the date of erasure and render again; every figure stays."""
    evidence, parts = read_edition(archive, review_id, period_start, revision, about)
    for part_id in sorted(set(part_ids) - parts.keys()):
        raise EvidenceError(
            f"{_named(review_id, about)} {period_start}: part {part_id}", "not kept", f"one of {sorted(parts)}"
        )
    directory = edition_directory(archive, review_id, period_start, revision, about)
    text = (directory / EVIDENCE).read_text("utf-8")
    erased = {part_id: parts[part_id].erased(on) for part_id in part_ids}
    path = _write_files(directory, evidence, text, parts | erased)
    write_index(archive)
    return path


def editions(archive: Place | str) -> list[Edition]:
    """Every edition that was completely written, newest period first."""
    found = []
    root = place_of(archive) / "reviews"
    for path in root.glob(f"**/{MANIFEST}"):
        manifest = json.loads(path.read_text("utf-8"))
        day, _, revision = path.parent.name.partition("-r")
        found.append(
            Edition(
                review_id=path.relative_to(root).parts[0],
                period_start=dt.date.fromisoformat(day),
                revision=int(revision or 1),
                directory=path.parent,
                title=manifest["title"],
                headline=manifest["headline"],
                evidence_sha256=manifest["evidence_sha256"],
                built_at=manifest["as_of"],
                about=manifest.get("about", "all"),
                about_label=manifest.get("about_label", ""),
                grain=manifest.get("grain", "week"),
                documents=documents_of(manifest),
                titles=manifest.get("titles", {}),
                headlines=manifest.get("headlines", {}),
            )
        )
    return sorted(found, key=lambda e: (-e.period_start.toordinal(), e.review_id, e.about, -e.revision))


def write_index(archive: Place | str) -> Place:
    """The pages that list all editions, from what the archive holds: `index.html`, and one for each other language."""
    root = place_of(archive) / "reviews"
    kept = editions(archive)
    for language in LANGUAGES:
        entries = [_entry(root, edition, language) for edition in kept]
        write_atomically(root / index_name(language), render_index(entries, language))
    return root / index_name(LANGUAGES[0])


def _entry(root: Place, edition: Edition, language: str) -> EditionEntry:
    """An edition as the index of a language lists it: in that language where it is written in it."""
    at = edition.directory.relative_to(root).as_posix()
    pages = [one for one in edition.documents if one.format == "html"]
    page = next((one for one in pages if one.language == language), pages[0])
    return EditionEntry(
        review_id=edition.review_id,
        title=edition.titles.get(page.language, edition.title),
        about=edition.about,
        about_label=edition.about_label,
        grain=edition.grain,
        period_start=edition.period_start,
        revision=edition.revision,
        headline=edition.headlines.get(page.language, edition.headline),
        language=page.language,
        href=f"{at}/{page.name}",
        others=tuple(
            (one.format.upper(), one.language, f"{at}/{one.name}") for one in edition.documents if one != page
        ),
    )


def _named(review_id: str, about: str) -> str:
    return review_id if about == "all" else f"{review_id} {about}"


def _read_manifest(directory: Place) -> dict | None:
    path = directory / MANIFEST
    return json.loads(path.read_text("utf-8")) if path.exists() else None
