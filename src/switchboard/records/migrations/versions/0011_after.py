"""What calls came to, and what webhooks are told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

Number = sa.Double[float]
AFTER = "after_calls"
DELIVERIES = "webhook_deliveries"


def upgrade() -> None:
    op.create_table(
        AFTER,
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("due_at", Number(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("outcome", sa.String(64)),
        sa.Column("goals", sa.Text()),
        sa.Column("fields", sa.Text()),
        sa.Column("error", sa.String(300)),
        sa.Column("finished_at", Number()),
        sa.Column("model", sa.String(64)),
        sa.Column("input_text", sa.Integer()),
        sa.Column("cached_text", sa.Integer()),
        sa.Column("output_text", sa.Integer()),
        sa.Column("cost_usd", Number()),
        sa.PrimaryKeyConstraint("call_id", name="pk_after_calls"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name="fk_after_calls_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_after_calls_due_at", AFTER, ["due_at"])
    op.create_index("ix_after_calls_outcome", AFTER, ["outcome"])
    op.create_table(
        DELIVERIES,
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("due_at", Number(), nullable=False),
        sa.Column("created_at", Number(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.String(200)),
        sa.Column("last_at", Number()),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["calls.id"],
            name="fk_webhook_deliveries_call_id_calls",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_webhook_deliveries_call_id", DELIVERIES, ["call_id"])
    op.create_index("ix_webhook_deliveries_due_at", DELIVERIES, ["due_at"])


def downgrade() -> None:
    op.drop_table(DELIVERIES)
    op.drop_table(AFTER)
