"""What servers that share the database ask of each other, where each is reached, and what a new
call's ticket is for: it may be shown to another server than the one that gave it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("asked_at", Number(), nullable=False),
        sa.Column("deadline", Number(), nullable=False),
        sa.Column("taken_at", Number()),
        sa.Column("answered_at", Number()),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_target", "commands", ["target"])
    op.add_column("replicas", sa.Column("url", sa.String(300)))
    op.add_column("tickets", sa.Column("facts", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("tickets", "facts")
    op.drop_column("replicas", "url")
    op.drop_table("commands")
