"""Evaluations that were held."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "eval_runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("began_at", Number(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("took_s", Number(), nullable=False),
        sa.Column("conversations", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("page", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_eval_runs"),
    )
    op.create_index("ix_eval_runs_began_at", "eval_runs", ["began_at"])


def downgrade() -> None:
    op.drop_table("eval_runs")
