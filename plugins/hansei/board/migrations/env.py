"""Alembic's entry. Always run by `hansei.board.store`, which brings the connection, its lock and its transaction."""

from alembic import context

from hansei.board.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's: all migrations or none
)
context.run_migrations()
