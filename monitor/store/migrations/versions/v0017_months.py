"""On PostgreSQL the runs of each month are a table of their own."""

import sqlalchemy as sa
from alembic import op

from monitor.store.months import made, months

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_VIEW = """
CREATE VIEW observations AS
SELECT runs.at, sources.module, sources.probe, sources.location, forms.outcome, forms.code, forms.blame,
       forms.discarded, runs.duration, forms.document
FROM runs JOIN sources ON sources.id = runs.source JOIN forms ON forms.id = runs.form
"""


def upgrade() -> None:
    """Puts a partitioned table in the place of the old one, and moves the rows."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP VIEW observations")
    op.rename_table("runs", "runs_before")
    op.execute("ALTER TABLE runs_before RENAME CONSTRAINT pk_runs TO pk_runs_before")
    op.create_table(
        "runs",
        sa.Column("source", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("form", sa.BigInteger, nullable=False),
        sa.Column("duration", sa.Float(53), nullable=False),
        sa.Column("rest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("source", "at", name="pk_runs"),
        postgresql_partition_by="RANGE (at)",
    )
    first, last = op.get_bind().execute(sa.text("SELECT min(at), max(at) FROM runs_before")).one()
    if first is not None:
        for month in months(first, last):
            op.execute(made(month))
        columns = "source, at, form, duration, rest"
        op.execute(f"INSERT INTO runs ({columns}) SELECT {columns} FROM runs_before")
    op.drop_table("runs_before")
    op.execute(_VIEW)
