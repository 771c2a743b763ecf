"""What the database itself refuses, for migrations: whoever holds a connection cannot rewrite what was recorded."""

from alembic import op


def refuse(table: str, operation: str, reason: str) -> None:
    """Make the database itself answer `operation` on `table` with an error that says `reason`."""
    name = f"{table}_refuse_{operation.split()[0].lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} BEFORE {operation} ON {table} BEGIN SELECT RAISE(ABORT, '{reason}'); END")
        return
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
               f"$$ BEGIN RAISE EXCEPTION '{reason}'; END $$")  # fmt: skip
    op.execute(f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
