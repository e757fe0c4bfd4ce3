"""Calls, what was said and done on them, and tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(200), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("voice", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("began_at", Number(), nullable=False),
        sa.Column("ended_at", Number()),
        sa.Column("end_reason", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_began_at", "calls", ["began_at"])
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("expires_at", Number(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_tickets"),
    )
    op.create_index("ix_tickets_call_id", "tickets", ["call_id"])
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])
    _part_of_call(
        "items",
        "item_id",
        sa.Column("speaker", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("began_ms", Number(), nullable=False),
        sa.Column("heard_chars", sa.Integer()),
        sa.Column("typed", sa.Boolean(), nullable=False),
    )
    _part_of_call(
        "tool_calls",
        "tool_call_id",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("began_ms", Number(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("duration_ms", Number()),
    )
    _part_of_call(
        "interruptions",
        "item_id",
        sa.Column("heard_ms", Number(), nullable=False),
        sa.Column("received_ms", Number(), nullable=False),
        sa.Column("at_ms", Number(), nullable=False),
    )
    _part_of_call(
        "replies",
        "reply_id",
        sa.Column("first_audio_ms", Number()),
        sa.Column("first_heard_ms", Number()),
        sa.Column("input_text", sa.Integer()),
        sa.Column("input_audio", sa.Integer()),
        sa.Column("cached_text", sa.Integer()),
        sa.Column("cached_audio", sa.Integer()),
        sa.Column("output_text", sa.Integer()),
        sa.Column("output_audio", sa.Integer()),
        sa.Column("cost_usd", Number()),
    )


def downgrade() -> None:
    for table in ("replies", "interruptions", "tool_calls", "items", "tickets", "calls"):
        op.drop_table(table)


def _part_of_call(table: str, key: str, *columns: sa.Column[object]) -> None:
    """A table whose rows belong to a call and go with it."""
    op.create_table(
        table,
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column(key, sa.String(128), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=f"fk_{table}_call_id_calls", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", key, name=f"pk_{table}"),
    )
