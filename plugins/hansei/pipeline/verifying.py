"""Whether a published document still says what it was made from: evidence, parts and page, each by its hash.

Each document is also made again from the archived evidence and parts, and compared with what was published.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hansei import __version__, board
from hansei.catalog.reviews import Format
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.stored_reviews import read_stored
from hansei.reviews.archive import (
    EVIDENCE,
    MANIFEST,
    Kept,
    documents_of,
    edition_directory,
    read_edition,
    read_manifest,
)
from hansei.reviews.brief import compose
from hansei.reviews.evidence import Evidence, EvidenceError, Part
from hansei.reviews.papers import make, make_documents
from hansei.reviews.places import Place, write_atomically
from hansei.reviews.rendering import review_words


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. state: `proven`, `erased` (a part, on purpose), `differs` or `missing`.

    Of a document made again: `renders the same`, `renders differently` or `not rendered`: no proof against it.
    """

    what: str
    state: str
    told: str

    @property
    def is_well(self) -> bool:
        return self.state not in ("differs", "missing")

    @property
    def is_other_rendering(self) -> bool:
        return self.state == "renders differently"


def verify_review(context: Context, review_id: str) -> list[Finding]:
    """Everything that proves a document, in order; nothing is written."""
    with board.opened_board(context.settings) as engine:
        stored = board.load_review(engine, review_id)
        kept = board.load_parts(engine, review_id)
    found = [_evidence(stored)]
    evidence = Evidence.model_validate_json(stored.evidence)
    parts = {part_id: Part.model_validate_json(part.content) for part_id, part in kept.items() if part.salt}
    found += [_part(evidence, part_id, kept, parts) for part_id in sorted(r.part_id for r in evidence.parts)]
    place = (context.settings.archive, stored.definition_id, stored.period_start, stored.revision, stored.about)
    manifest, directory = read_manifest(*place), edition_directory(*place)
    if manifest is None:
        return [*found, Finding("documents", "missing", f"{directory} has no {MANIFEST}")]
    published = documents_of(manifest)
    found += _documents(directory, published, stored.evidence_hash, evidence)
    return [*found, *_rendered_again(place, published, stored.evidence_hash)]


def render_again(
    context: Context, review_id: str, target: Path, form: Format = "html", language: str | None = None
) -> Path:
    """A document made anew from the stored evidence and parts, written to `target`; nothing published changes.

    `language` is one of the evidence's, its principal one by default. NotInstalled where the format cannot be made.
    """
    stored, evidence, parts = read_stored(context.settings, review_id)
    if language is not None and language not in evidence.languages:
        found, known = f"was not written in {language!r}", ", ".join(evidence.languages)
        raise HanseiError(f"review {review_id}", found, f"use one of: {known}")
    words = review_words(evidence, language)
    write_atomically(target, make(form, compose(evidence, parts, words, stored.evidence_hash), words))
    return target


def _evidence(stored: board.StoredReview) -> Finding:
    digest = hashlib.sha256(stored.evidence.encode()).hexdigest()
    if digest == stored.evidence_hash:
        return Finding("evidence in the board store", "proven", digest)
    return Finding("evidence in the board store", "differs", f"{digest}, stored as {stored.evidence_hash}")


def _part(evidence: Evidence, part_id: str, kept: dict[str, board.Part], parts: dict[str, Part]) -> Finding:
    what = f"part {part_id}"
    reference = next(found for found in evidence.parts if found.part_id == part_id)
    if part_id not in kept:
        return Finding(what, "missing", "the board store has no such part")
    if kept[part_id].erased_at is not None:
        return Finding(what, "erased", f"on {kept[part_id].erased_at.date()}; {reference.row_count} rows")
    if parts[part_id].is_what(reference):
        return Finding(what, "proven", f"{reference.row_count} rows")
    return Finding(what, "differs", "not the content that the evidence was made with")


def _documents(directory: Place, published: tuple[Kept, ...], evidence_hash: str, evidence: Evidence) -> list[Finding]:
    """The files of the archive against the evidence, and each document against what its manifest says."""
    archived = directory / EVIDENCE
    found = []
    if archived.exists() and hashlib.sha256(archived.read_bytes()).hexdigest() == evidence_hash:
        found.append(Finding("evidence in the archive", "proven", str(archived)))
    else:
        found.append(Finding("evidence in the archive", "differs", str(archived)))
    return [*found, *(_file(directory, kept, evidence_hash, evidence) for kept in published)]


def _file(directory: Place, kept: Kept, evidence_hash: str, evidence: Evidence) -> Finding:
    what, path = f"document {kept.name}", directory / kept.name
    if not path.exists():
        return Finding(what, "missing", str(path))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        return Finding(what, "differs", f"{path} was changed after it was written")
    if kept.format == "html" and evidence_hash[:12].encode() not in content:
        return Finding(what, "differs", f"{path} names other evidence")
    made = "" if evidence.product_version == __version__ else f", made by Hansei {evidence.product_version}"
    return Finding(what, "proven", f"{path}{made}")


def _rendered_again(place: tuple[Any, ...], published: tuple[Kept, ...], evidence_hash: str) -> list[Finding]:
    """Each published document, made again by this version from what the archive holds, against its manifest."""
    try:
        evidence, parts = read_edition(*place)
    except (EvidenceError, FileNotFoundError):
        why = "the archive's evidence and parts are not those that were published"
        return [Finding(f"{kept.name} made again", "not rendered", why) for kept in published]
    papers = make_documents(evidence, parts, {kept.format for kept in published}, evidence_hash)
    made = {document.name: document.sha256 for document in papers.documents}
    missing = {one.name: one.why for one in papers.missing}
    erased = sum(part.erased_on is not None for part in parts.values())
    without = f", without {erased} erased parts" if erased else ""
    found = []
    for kept in published:
        what, versions = f"{kept.name} made again", f"Hansei {evidence.product_version} -> {__version__}{without}"
        if kept.name not in made:
            found.append(Finding(what, "not rendered", missing.get(kept.name, "this version makes no such document")))
        elif made[kept.name] == kept.sha256:
            found.append(Finding(what, "renders the same", versions))
        else:
            found.append(Finding(what, "renders differently", versions))
    return found
