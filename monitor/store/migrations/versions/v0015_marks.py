"""How far what the agent of a place has brought is stored."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "marks",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("location", "agent", "epoch", name="pk_marks"),
        sqlite_with_rowid=False,
    )
