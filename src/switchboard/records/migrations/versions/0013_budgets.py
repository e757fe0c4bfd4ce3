"""What calls took of a day's budget, and when the tokens end that tickets were bought with."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

Number = sa.Double[float]


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("day", sa.String(64), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("used_usd", Number(), nullable=False),
        sa.Column("used_s", Number(), nullable=False),
        sa.Column("held_usd", Number(), nullable=False),
        sa.Column("held_s", Number(), nullable=False),
        sa.Column("held_until", Number(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "day", name="pk_spent"),
    )
    op.create_index("ix_spent_day_who", "spent", ["day", "who"])
    op.add_column("tickets", sa.Column("token_until", Number()))


def downgrade() -> None:
    op.drop_column("tickets", "token_until")
    op.drop_table("spent")
