"""Calls out: what became of each, who called whom, and calls that were promised."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Number = sa.Double[float]


def upgrade() -> None:
    op.add_column(
        "calls", sa.Column("direction", sa.String(64), nullable=False, server_default="in")
    )
    op.add_column("dialled", sa.Column("agent", sa.String(64), nullable=False, server_default=""))
    op.add_column(
        "dialled", sa.Column("state", sa.String(64), nullable=False, server_default="ended")
    )
    op.add_column("dialled", sa.Column("reason", sa.String(64)))
    op.add_column("dialled", sa.Column("code", sa.Integer()))
    op.add_column("dialled", sa.Column("subcode", sa.Integer()))
    op.add_column("dialled", sa.Column("answered_at", Number()))
    op.create_index("ix_dialled_call_id", "dialled", ["call_id"])
    op.create_table(
        "promised",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("due_at", Number(), nullable=False),
        sa.Column("until", Number(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_promised"),
    )
    op.create_index("ix_promised_number", "promised", ["number"])
    op.create_index("ix_promised_due_at", "promised", ["due_at"])
    op.create_index("ix_promised_call_id", "promised", ["call_id"])


def downgrade() -> None:
    op.drop_table("promised")
    op.drop_index("ix_dialled_call_id", "dialled")
    for column in ("answered_at", "subcode", "code", "reason", "state", "agent"):
        op.drop_column("dialled", column)
    op.drop_column("calls", "direction")
