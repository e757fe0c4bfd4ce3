"""Recordings of telephone calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("recording_id", sa.String(1000)),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("began_at", Number(), nullable=False),
        sa.Column("ended_at", Number()),
        sa.Column("places", sa.Text()),
        sa.Column("duration_ms", Number()),
        sa.PrimaryKeyConstraint("call_id", name="pk_recordings"),
    )
    op.create_index("ix_recordings_recording_id", "recordings", ["recording_id"])


def downgrade() -> None:
    op.drop_table("recordings")
