"""What operators did, and when replies were first heard of: for the console."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "operator_actions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(200), nullable=False),
        sa.Column("principal_name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("tool_call_id", sa.String(128)),
        sa.Column("at", Number(), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator_actions"),
    )
    op.create_index("ix_operator_actions_call_id", "operator_actions", ["call_id"])
    op.add_column("replies", sa.Column("answered_at", Number()))


def downgrade() -> None:
    op.drop_column("replies", "answered_at")
    op.drop_table("operator_actions")
