"""The telephone: media tickets, events acted upon, calls placed, numbers not to be called."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "media_tickets",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("connection_id", sa.String(200)),
        sa.Column("expires_at", Number(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_media_tickets"),
    )
    op.create_index("ix_media_tickets_call_id", "media_tickets", ["call_id"])
    op.create_index("ix_media_tickets_expires_at", "media_tickets", ["expires_at"])
    op.create_table(
        "seen_events",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("until", Number(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_seen_events"),
    )
    op.create_index("ix_seen_events_until", "seen_events", ["until"])
    op.create_table(
        "dialled",
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(200), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("at", Number(), nullable=False),
        sa.Column("ended_at", Number()),
        sa.PrimaryKeyConstraint("operation", name="pk_dialled"),
    )
    op.create_index("ix_dialled_at", "dialled", ["at"])
    op.create_table(
        "do_not_call",
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("since", Number(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_do_not_call"),
    )


def downgrade() -> None:
    for table in ("do_not_call", "dialled", "seen_events", "media_tickets"):
        op.drop_table(table)
