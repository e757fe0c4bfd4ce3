"""How often a call was taken over by another server."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("calls", sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    # Not by a batch: SQLite would build the table anew, and take what belongs to its calls with it.
    op.drop_column("calls", "takeovers")
