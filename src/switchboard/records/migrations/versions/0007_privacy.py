"""Calls by agent and end: for the sweeper that deletes what is kept no longer."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_calls_agent_ended_at", "calls", ["agent", "ended_at"])


def downgrade() -> None:
    op.drop_index("ix_calls_agent_ended_at", table_name="calls")
