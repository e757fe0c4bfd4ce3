"""Recordings that are kept here: of calls from the page."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    kept = sa.Column("kept", sa.String(64), nullable=False, server_default="carrier")
    op.add_column("recordings", kept)


def downgrade() -> None:
    op.drop_column("recordings", "kept")
