"""The board store on SQLite and on PostgreSQL: migrations, immutability, revisions, erasure."""

from __future__ import annotations

import hashlib
import multiprocessing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hansei import board
from hansei.board import store, tables
from hansei.settings import Settings, load_settings

NOW = datetime(2026, 3, 9, 6, 0)
PART = board.Part("sample_backlog", "rows", "ab" * 32, "s" * 64, '{"rows":[["crm:1","Jane asked again"]]}')
EDITION = board.Edition(
    definition_id="weekly_brief",
    period_start=date(2026, 3, 2),
    period_end=date(2026, 3, 8),
    title="Weekly brief",
    audience="whole service",
    language="en",
    as_of=datetime(2026, 3, 9, 1, 0),
    definitions_hash="d" * 64,
    evidence='{"backlog":12}',
    parts=(PART,),
)


def test_the_migrations_make_the_tables_that_the_code_declares(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "include_schemas": False}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []
        assert set(sa.inspect(connection).get_table_names()) == {*tables.metadata.tables, "alembic_version"}


def test_the_newest_migration_is_the_one_that_opening_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(store.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [store.HEAD]


def _open_and_count(environment: dict[str, str]) -> int:
    engine = board.open(load_settings(environment))
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar_one()
    engine.dispose()
    return found


def test_several_processes_may_open_a_new_store_at_once(settings: Settings) -> None:
    environment = {"HANSEI_HOME": str(settings.home), "HANSEI_BOARD": settings.board_url}
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_open_and_count, [environment] * 6) == [1] * 6


def test_a_store_of_a_newer_release_is_left_alone(settings: Settings, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(board.BoardError, match=rf"at migration 9999, this release knows {store.HEAD}"):
        board.open(settings)


def test_an_unreachable_store_says_where_it_looked_without_the_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://desk:s3cret@127.0.0.1:1/none"
    with pytest.raises(board.BoardError) as caught:
        board.open(load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_BOARD": url}))
    assert "127.0.0.1:1/none" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_review_is_stored_as_it_was_given(engine: sa.Engine) -> None:
    stored = board.save_review(engine, EDITION, "night", NOW)
    assert (stored.review_id, stored.revision, stored.state) == ("weekly_brief:2026-03-02:r1", 1, "built")
    loaded = board.load_review(engine, stored.review_id)
    assert loaded == replace(stored, evidence='{"backlog":12}')
    assert loaded.evidence_hash == hashlib.sha256(b'{"backlog":12}').hexdigest()
    assert (loaded.as_of, loaded.built_at) == (datetime(2026, 3, 9, 1, 0), NOW)
    assert board.load_parts(engine, stored.review_id) == {"sample_backlog": PART}


def test_the_same_evidence_makes_no_second_edition(engine: sa.Engine) -> None:
    first = board.save_review(engine, EDITION, "night", NOW)
    published = board.publish_review(engine, first.review_id, "archive/r1.html", "night", NOW)
    again = board.save_review(engine, replace(EDITION, title="Another title"), "night", datetime(2026, 3, 10))
    assert again == published
    assert len(board.list_reviews(engine)) == 1


def test_other_evidence_makes_a_revision_beside_the_old_one(engine: sa.Engine) -> None:
    first = board.save_review(engine, EDITION, "night", NOW)
    second = board.save_review(engine, replace(EDITION, evidence='{"backlog":13}'), "night", NOW)
    assert second.review_id == "weekly_brief:2026-03-02:r2"
    assert board.load_review(engine, first.review_id).evidence == '{"backlog":12}'
    assert [review.revision for review in board.list_reviews(engine, "weekly_brief")] == [2, 1]
    assert board.list_reviews(engine, "another") == []


def test_publishing_twice_is_once_and_never_elsewhere(engine: sa.Engine) -> None:
    review_id = board.save_review(engine, EDITION, "night", NOW).review_id
    assert board.publish_review(engine, review_id, "archive/r1.html", "night", NOW).state == "published"
    board.publish_review(engine, review_id, "archive/r1.html", "night", NOW)
    with pytest.raises(board.BoardError, match=r"already published as archive/r1.html"):
        board.publish_review(engine, review_id, "elsewhere.html", "night", NOW)
    events = board.mirror_rows(engine)["board_events"]
    assert sorted(event["what"] for event in events) == ["built", "published"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reviews SET evidence = '{}'",
        "UPDATE reviews SET as_of = '2030-01-01'",
        "DELETE FROM reviews WHERE revision = 1",
        "UPDATE board_events SET who = 'somebody else'",
        "DELETE FROM board_events",
    ],
)
def test_the_database_itself_refuses_to_rewrite_history(engine: sa.Engine, statement: str) -> None:
    board.save_review(engine, replace(EDITION, parts=()), "night", NOW)
    before = board.mirror_rows(engine)
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"never changes|never deleted|only ever appended"),
        engine.begin() as connection,
    ):
        connection.execute(sa.text(statement))
    assert board.mirror_rows(engine) == before


def test_erasing_a_part_leaves_the_evidence_as_it_was(engine: sa.Engine) -> None:
    stored = board.save_review(engine, EDITION, "night", NOW)
    board.erase_part(engine, stored.review_id, "sample_backlog", "vera", "request 17", datetime(2026, 4, 1, 9))
    board.erase_part(engine, stored.review_id, "sample_backlog", "vera", "again", datetime(2026, 4, 2, 9))
    part = board.load_parts(engine, stored.review_id)["sample_backlog"]
    assert (part.content, part.salt, part.erased_at) == ("erased on 2026-04-01", None, datetime(2026, 4, 1, 9))
    assert part.salted_hash == PART.salted_hash
    assert board.load_review(engine, stored.review_id).evidence_hash == stored.evidence_hash
    erased = [event for event in board.mirror_rows(engine)["board_events"] if event["what"] == "erased"]
    assert [(event["who"], event["subject_id"], event["why"]) for event in erased] == [
        ("vera", "weekly_brief:2026-03-02:r1/sample_backlog", "request 17")
    ]


def test_a_part_keeps_its_salt_from_revision_to_revision_until_it_is_erased(engine: sa.Engine) -> None:
    key = ("weekly_brief", "all", date(2026, 3, 2), "sample_backlog")
    fresh = board.salt_of(engine, *key)
    assert len(fresh) == 64
    assert board.salt_of(engine, *key) != fresh
    stored = board.save_review(engine, EDITION, "night", NOW)
    assert board.salt_of(engine, *key) == PART.salt
    board.erase_part(engine, stored.review_id, "sample_backlog", "vera", "request 17", NOW)
    assert board.salt_of(engine, *key) != PART.salt


def test_each_segment_has_editions_and_revisions_of_its_own(engine: sa.Engine) -> None:
    other = replace(EDITION, about="team=desk:7")
    first, whole = board.save_review(engine, other, "night", NOW), board.save_review(engine, EDITION, "night", NOW)
    second = board.save_review(engine, replace(other, evidence='{"backlog":13}'), "night", NOW)
    assert [review.review_id for review in (first, whole, second)] == [
        "weekly_brief:team=desk:7:2026-03-02:r1",
        "weekly_brief:2026-03-02:r1",
        "weekly_brief:team=desk:7:2026-03-02:r2",
    ]
    assert [review.about for review in board.list_reviews(engine)] == ["all", "team=desk:7", "team=desk:7"]
    board.erase_part(engine, first.review_id, "sample_backlog", "vera", "request 17", NOW)
    assert board.salt_of(engine, "weekly_brief", "all", date(2026, 3, 2), "sample_backlog") == PART.salt


def test_reviews_of_an_older_store_are_about_the_whole_service_and_still_guarded(settings: Settings) -> None:
    """What the release before kept comes through the migration: reviews, their parts, and what the database refuses."""
    engine = _at_migration(settings, "0004")
    names = [column.name for column in tables.reviews.c if column.name != "about"]
    review = {"review_id": "weekly_brief:2026-03-02:r1", "revision": 1, "built_at": NOW, "state": "built"}
    review |= {name: getattr(EDITION, name) for name in names if hasattr(EDITION, name)}
    part = vars(PART) | {"review_id": review["review_id"]}
    with engine.begin() as connection:
        kept = [name for name in names if name != "document_path"]
        marks = ", ".join(f":{name}" for name in kept)
        connection.execute(sa.text(f"INSERT INTO reviews ({', '.join(kept)}) VALUES ({marks})"), review)
        connection.execute(tables.review_parts.insert(), part)
    engine.dispose()
    engine = board.open(settings)
    stored = board.load_review(engine, review["review_id"])
    assert (stored.about, stored.evidence, stored.built_at) == ("all", EDITION.evidence, NOW)
    assert board.load_parts(engine, stored.review_id) == {PART.part_id: PART}
    for refused in (
        "UPDATE reviews SET about = 'team=desk:7'",
        "UPDATE reviews SET evidence = ''",
        "DELETE FROM reviews",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="never"), engine.begin() as connection:
            connection.execute(sa.text(refused))
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(tables.review_parts.insert(), part | {"review_id": "of nothing"})
    engine.dispose()


def _at_migration(settings: Settings, version: str) -> sa.Engine:
    """A store as an older release left it."""
    url = sa.make_url(settings.board_url)
    engine = store._sqlite(url) if url.get_backend_name() == "sqlite" else store._postgresql(url)
    config = Config()
    config.set_main_option("script_location", str(store.MIGRATIONS))
    with store._migrating(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    return engine


def test_the_mirror_carries_no_evidence_and_no_words(engine: sa.Engine) -> None:
    board.save_review(engine, EDITION, "night", NOW)
    rows = board.mirror_rows(engine)
    counts = {name: len(table) for name, table in rows.items() if table}
    assert counts == {"reviews": 1, "board_events": 1}
    assert "Jane" not in str(rows)
    assert "backlog" not in str(rows)
    assert PART.salt not in str(rows)


def test_an_unknown_review_says_where_to_look(engine: sa.Engine) -> None:
    with pytest.raises(board.BoardError, match="hansei review list"):
        board.load_review(engine, "weekly_brief:1999-01-04:r1")


def test_the_sqlite_file_is_its_owners_only(tmp_path: Path) -> None:
    board.open(load_settings({"HANSEI_HOME": str(tmp_path)})).dispose()
    assert (tmp_path / "board.sqlite").stat().st_mode & 0o077 == 0


def test_a_reader_is_not_held_up_by_a_writer(tmp_path: Path) -> None:
    engine = board.open(load_settings({"HANSEI_HOME": str(tmp_path)}))
    board.save_review(engine, EDITION, "night", NOW)
    with board.writing(engine) as connection:
        board.record_event(connection, "night", "review", "x", "built", "held open", NOW)
        assert len(board.list_reviews(engine)) == 1
        assert len(board.mirror_rows(engine)["board_events"]) == 1
    assert len(board.mirror_rows(engine)["board_events"]) == 2
    engine.dispose()
