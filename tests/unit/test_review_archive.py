"""The archive: whole files, editions that do not change behind anybody's back, erasure without lost figures."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from pathlib import Path

import pytest

from hansei.reviews import archive, places
from hansei.reviews.evidence import Evidence, EvidenceError, Part

MONDAY = dt.date(2026, 11, 2)
PART = Part(part_id="x_rows", salt="s" * 32, columns=("ticket",), rows=(("desk:4711",),))


def evidence(monday: dt.date = MONDAY, title: str = "Weekly brief") -> Evidence:
    indicator = {
        "indicator_id": "x",
        "version": 1,
        "title": "X",
        "question": "?",
        "unit": "count",
        "direction": "neutral",
        "sample_part": "x_rows",
        "series": [{"period_start": monday, "value": 12.0, "sample_count": 12}],
    }
    return Evidence.model_validate(
        {
            "review_id": "weekly_brief",
            "title": title,
            "service_name": "Desk",
            "reporting_zone": "UTC",
            "period_start": monday,
            "period_end": monday + dt.timedelta(days=6),
            "as_of": dt.datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "definitions_hash": "ab",
            "indicators": [indicator],
            "parts": [PART.reference()],
        }
    )


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_an_edition_is_kept_with_evidence_parts_and_index(tmp_path: Path) -> None:
    path = archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    assert path == tmp_path / "reviews/weekly_brief/2026-11-02/brief.html"
    assert set(files(tmp_path / "reviews")) == {
        "index.html",
        "index.zh_CN.html",
        *(
            f"weekly_brief/2026-11-02/{n}"
            for n in ("brief.html", "evidence.json", "manifest.json", "parts/x_rows.json")
        ),
    }
    assert archive.read_edition(tmp_path, "weekly_brief", MONDAY) == (evidence(), {"x_rows": PART})
    index = (tmp_path / "reviews/index.html").read_text("utf-8")
    assert 'href="weekly_brief/2026-11-02/brief.html"' in index


def test_writing_the_same_evidence_again_changes_no_byte(tmp_path: Path) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    before = files(tmp_path)
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    assert files(tmp_path) == before


def test_a_published_edition_is_not_overwritten_by_other_evidence(tmp_path: Path) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    before = files(tmp_path)
    with pytest.raises(EvidenceError, match="published already"):
        archive.write_edition(tmp_path, evidence(title="Other"), {"x_rows": PART})
    assert files(tmp_path) == before


def test_other_evidence_is_a_revision_beside_what_was_published(tmp_path: Path) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    before = {name: content for name, content in files(tmp_path).items() if "weekly_brief" in str(name)}
    path = archive.write_edition(tmp_path, evidence(title="Other"), {"x_rows": PART}, revision=2)
    assert path == tmp_path / "reviews/weekly_brief/2026-11-02-r2/brief.html"
    after = files(tmp_path)
    assert before
    assert {name: after[name] for name in before} == before
    assert [(e.title, e.revision) for e in archive.editions(tmp_path)] == [("Other", 2), ("Weekly brief", 1)]
    assert archive.read_edition(tmp_path, "weekly_brief", MONDAY, revision=2)[0].title == "Other"
    assert "revision 2" in (tmp_path / "reviews/index.html").read_text("utf-8")


def test_each_segment_has_a_folder_that_every_file_system_takes(tmp_path: Path) -> None:
    """Ids that differ by case, by what a file name cannot hold, or by nothing else than their end, do not meet."""
    ids = (
        "team=desk:7",
        "team=Desk:7",
        "team=desk/7",
        "team=../7",
        "team=收银台",
        "team=" + "x" * 300,
        "team=" + "x" * 301,
    )
    for about in ids:
        archive.write_edition(tmp_path, evidence().model_copy(update={"about": about}), {"x_rows": PART})
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    found = archive.editions(tmp_path)
    assert sorted(edition.about for edition in found) == sorted([*ids, "all"])
    folders = [edition.directory.parent.name for edition in found if edition.about != "all"]
    assert len({folder.casefold() for folder in folders}) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}", folder) for folder in folders)
    for about in ids:
        assert archive.read_edition(tmp_path, "weekly_brief", MONDAY, about=about)[0].about == about
    with pytest.raises(EvidenceError, match="weekly_brief team=desk:8 2026-11-02"):
        archive.read_edition(tmp_path, "weekly_brief", MONDAY, about="team=desk:8")


def test_erasing_a_part_leaves_every_figure(tmp_path: Path) -> None:
    path = archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    shown = path.read_text("utf-8")
    assert "desk:4711" in shown
    archive.erase_parts(tmp_path, "weekly_brief", MONDAY, ["x_rows"], dt.date(2026, 12, 1))
    after = path.read_text("utf-8")
    assert "erased on 1\u00a0December 2026" in after
    assert not any(b"desk:4711" in content or PART.salt.encode() in content for content in files(tmp_path).values())
    assert (
        after.partition("<h1>")[2].partition("Definitions and proof</h2>")[0]
        == (shown.partition("<h1>")[2].partition("Definitions and proof</h2>")[0])
    )


def test_evidence_that_was_tampered_with_is_not_read(tmp_path: Path) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    kept = tmp_path / "reviews/weekly_brief/2026-11-02/evidence.json"
    kept.write_text(kept.read_text("utf-8").replace("12.0", "13.0"), "utf-8")
    with pytest.raises(EvidenceError, match="not what was published"):
        archive.read_edition(tmp_path, "weekly_brief", MONDAY)


def test_an_edition_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such edition"):
        archive.read_edition(tmp_path, "weekly_brief", MONDAY)


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    places.write_atomically(target, "old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(places.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        places.write_atomically(target, "new")
    assert files(tmp_path) == {"page.html": b"old"}


def test_editions_are_listed_newest_first(tmp_path: Path) -> None:
    for weeks in (1, 0, 2):
        archive.write_edition(tmp_path, evidence(MONDAY - dt.timedelta(weeks=weeks)))
    assert [e.period_start for e in archive.editions(tmp_path)] == [MONDAY - dt.timedelta(weeks=n) for n in range(3)]


def test_a_language_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"'fr'.*use one of en, zh_CN"):
        archive.write_edition(tmp_path, evidence().model_copy(update={"languages": ("fr",)}))
    assert files(tmp_path) == {}


def test_an_edition_of_an_older_version_is_read_and_erased_under_its_own_hash(tmp_path: Path) -> None:
    """Evidence that was written before a field existed keeps its text, its hash and its figures."""
    page = archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    kept = page.with_name("evidence.json")
    older = json.loads(kept.read_text("utf-8"))
    assert older.pop("proposals") == []
    text = json.dumps(older, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept.write_text(text, "utf-8")
    manifest = page.with_name("manifest.json")
    told = json.loads(manifest.read_text("utf-8")) | {"evidence_sha256": digest}
    manifest.write_text(json.dumps(told), "utf-8")
    assert archive.read_edition(tmp_path, "weekly_brief", MONDAY)[0] == evidence()
    archive.erase_parts(tmp_path, "weekly_brief", MONDAY, ["x_rows"], dt.date(2026, 12, 1))
    assert kept.read_text("utf-8") == text
    assert json.loads(manifest.read_text("utf-8"))["evidence_sha256"] == digest
    assert digest[:12] in page.read_text("utf-8") and "desk:4711" not in page.read_text("utf-8")


def test_the_index_lists_by_review_in_both_languages_and_runs_only_its_own_script(tmp_path: Path) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    team = evidence().model_copy(update={"about": "team=desk:7", "about_label": "Billing <b>", "review_id": "teams"})
    archive.write_edition(tmp_path, team, {"x_rows": PART})
    month = {"grain": "month", "period_start": dt.date(2026, 10, 1), "period_end": dt.date(2026, 10, 31)}
    archive.write_edition(tmp_path, evidence().model_copy(update={"review_id": "monthly", **month}), {"x_rows": PART})
    page, chinese = ((tmp_path / f"reviews/{name}").read_text("utf-8") for name in ("index.html", "index.zh_CN.html"))
    places = [page.index(f'id="r-{name}"') for name in ("monthly", "teams", "weekly_brief")]
    assert places == sorted(places)
    assert "Billing &lt;b&gt;" in page and "Billing <b>" not in page
    assert "October 2026" in page and "2026年10月" in chinese and "整体服务" in chinese
    assert 'href="index.zh_CN.html" lang="zh-CN"' in page and 'href="index.html" lang="en"' in chinese
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    # Without it the page is a list: the form that searches is hidden until it runs.
    assert '<form role="search" hidden>' in page


def test_the_index_tells_in_chinese_what_is_written_in_chinese(tmp_path: Path) -> None:
    """An edition of both languages is listed in the reader's own and leads to that page; one of English alone stays."""
    both = evidence().model_copy(
        update={"languages": ("en", "zh_CN"), "translations": {"zh_CN": {"Weekly brief": "每周简报"}}}
    )
    archive.write_edition(tmp_path, both, {"x_rows": PART})
    english = {"review_id": "teams", "about": "team=desk:7", "about_label": "Billing"}
    archive.write_edition(tmp_path, evidence(title="Team review").model_copy(update=english), {"x_rows": PART})
    page, chinese = ((tmp_path / f"reviews/{name}").read_text("utf-8") for name in ("index.html", "index.zh_CN.html"))
    assert '<h2 id="r-weekly_brief">每周简报</h2>' in chinese and '<h2 id="r-weekly_brief">Weekly brief</h2>' in page
    assert '<a href="weekly_brief/2026-11-02/brief.zh_CN.html">未设限值，因此不作判断</a>' in chinese
    assert '<a href="weekly_brief/2026-11-02/brief.html">HTML English</a>' in chinese
    assert '<a href="weekly_brief/2026-11-02/brief.html">Nothing is judged: no limit is set</a>' in page
    assert '" lang="en">Nothing is judged: no limit is set</a>' in chinese and "Billing团队" in chinese
    assert "Team Billing" in page
