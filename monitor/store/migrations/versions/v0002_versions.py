"""Which application and version answered each probe, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "versions",
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.PrimaryKeyConstraint("module", "probe", "since", name="pk_versions"),
        sqlite_with_rowid=False,
    )
