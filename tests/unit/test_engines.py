"""What the shared fixtures promise to the tests that stand on them."""

from __future__ import annotations

import sqlalchemy as sa


def test_each_test_gets_an_empty_warehouse(engine_url: sa.URL) -> None:
    engine = sa.create_engine(engine_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE things (name VARCHAR)"))
        connection.execute(sa.text("INSERT INTO things VALUES ('b'), ('B'), ('a')"))
        assert connection.execute(sa.text("SELECT name FROM things ORDER BY name")).scalars().all() == ["B", "a", "b"]
    engine.dispose()


def test_postgresql_speaks_utc_and_utf8(postgres_database: sa.URL) -> None:
    engine = sa.create_engine(postgres_database)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SHOW timezone")).scalar_one() == "UTC"
        assert connection.execute(sa.text("SHOW server_encoding")).scalar_one() == "UTF8"
    engine.dispose()
