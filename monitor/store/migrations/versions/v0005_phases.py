"""How long the phases of answered runs took, by the hour. Of hours before this, it is not known: `timed` is 0."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns."""
    op.add_column("rollups", sa.Column("timed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("rollups", sa.Column("phases", sa.Text, nullable=False, server_default="{}"))
