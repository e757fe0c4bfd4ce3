"""Servers that share the database, and which of them has a call."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

Number = sa.Double[float]
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("began_at", Number(), nullable=False),
        sa.Column("beat_at", Number(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replicas"),
    )
    for table in ("calls", "dialled"):
        op.add_column(table, sa.Column("replica_id", sa.String(64)))
        op.create_index(
            f"ix_{table}_open", table, ["replica_id"], sqlite_where=OPEN, postgresql_where=OPEN
        )


def downgrade() -> None:
    for table in ("dialled", "calls"):
        op.drop_index(f"ix_{table}_open", table)
        op.drop_column(table, "replica_id")
    op.drop_table("replicas")
