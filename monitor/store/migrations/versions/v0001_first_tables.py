"""The first tables. Written out, not taken from `schema.py`: this is what the version was, whatever comes later."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Creates every table and index."""
    op.create_table(
        "observations",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("blame", sa.Text),
        sa.Column("discarded", sa.Boolean, nullable=False),
        sa.Column("duration", sa.Float(53), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
        sa.UniqueConstraint("module", "at", "probe", "location", name="uq_observations_module_at_probe_location"),
    )
    op.create_index("ix_observations_at", "observations", ["at"])
    op.create_table(
        "rollups",
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("slow", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("buckets", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("module", "probe", "location", "hour", name="pk_rollups"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rollups_hour", "rollups", ["hour"])
    op.create_table(
        "tracks",
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("module", "probe", "location", name="pk_tracks"),
    )
    op.create_table(
        "conditions",
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("module", "probe", name="pk_conditions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transitions",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
        sa.UniqueConstraint("module", "since", "after", "at", name="uq_transitions_module_since_after_at"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("resolved_at", sa.BigInteger),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_started_at", "incidents", ["started_at"])
    op.create_index("ix_incidents_resolved_at", "incidents", ["resolved_at"])
    op.create_table(
        "gaps",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("location", "since", name="pk_gaps"),
        sqlite_with_rowid=False,
    )
