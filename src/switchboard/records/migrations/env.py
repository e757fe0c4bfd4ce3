"""Alembic's entry: migrates over the connection that the store hands it."""

from alembic import context
from sqlalchemy import Connection

from switchboard.records.schema import Base


def migrate(connection: Connection) -> None:
    # SQLite cannot alter most things in place: batch mode copies the table instead.
    context.configure(connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


migrate(context.config.attributes["connection"])
