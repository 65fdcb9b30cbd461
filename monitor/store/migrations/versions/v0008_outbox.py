"""What happens to incidents, who was told what of it, and the messages on their way."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "told",
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("incident", name="pk_told"),
    )
    op.create_index("ix_told_due_at", "told", ["due_at"])
    op.create_table(
        "happenings",
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("withheld", sa.Text, nullable=False),
        sa.Column("document", sa.Text),
        sa.PrimaryKeyConstraint("incident", "seq", name="pk_happenings"),
    )
    op.create_table(
        "outbox",
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("opens", sa.Boolean, nullable=False),
        sa.Column("page", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("claimed_until", sa.BigInteger),
        sa.Column("claim_token", sa.Text),
        sa.Column("last_error", sa.Text),
        sa.Column("external", sa.Text),
        sa.Column("settled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("incident", "seq", "channel", name="pk_outbox"),
    )
    op.create_index("ix_outbox_state_channel", "outbox", ["state", "channel"])
    op.create_index("ix_outbox_channel_at", "outbox", ["channel", "at"])
