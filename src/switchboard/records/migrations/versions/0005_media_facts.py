"""What a telephone call's media must be told stands beside their ticket, and not in an address."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("media_tickets", sa.Column("facts", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("media_tickets", "facts")
