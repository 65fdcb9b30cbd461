"""Judged runs take a tenth of the room: who says it and what is said again and again are stored once.

What is stored moves over, some thousand rows at a time. `observations` is a view from now on.
"""

import sqlalchemy as sa
from alembic import op

from monitor.store.packing import Form, Packer

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_AT_ONCE = 5000
_KEYS = 200
_VIEW = """
CREATE VIEW observations AS
SELECT runs.at, sources.module, sources.probe, sources.location, forms.outcome, forms.code, forms.blame,
       forms.discarded, runs.duration, forms.document
FROM runs JOIN sources ON sources.id = runs.source JOIN forms ON forms.id = runs.form
"""


def upgrade() -> None:
    """Creates the tables, moves the rows, and puts a view in the place of the old table."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "sources",
        sa.Column("id", number, nullable=False, autoincrement=True),
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("module", "probe", "location", name="uq_sources_module_probe_location"),
    )
    op.create_table(
        "forms",
        sa.Column("id", number, nullable=False, autoincrement=True),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("blame", sa.Text),
        sa.Column("discarded", sa.Boolean, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forms"),
        sa.UniqueConstraint("digest", name="uq_forms_digest"),
    )
    op.create_index("ix_forms_used_at", "forms", ["used_at"])
    op.create_table(
        "runs",
        sa.Column("source", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("form", sa.BigInteger, nullable=False),
        sa.Column("duration", sa.Float(53), nullable=False),
        sa.Column("rest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("source", "at", name="pk_runs"),
        sqlite_with_rowid=False,
    )
    _move()
    op.drop_table("observations")
    op.execute(_VIEW)


def _move() -> None:
    connection, packer = op.get_bind(), Packer()
    old, sources, forms, runs = (
        sa.Table(name, sa.MetaData(), autoload_with=connection) for name in ("observations", "sources", "forms", "runs")
    )
    names = ("module", "probe", "location")
    who = [old.c[name] for name in names]
    connection.execute(sa.insert(sources).from_select(names, sa.select(*who).distinct().order_by(*who)))
    number_of = {(row.module, row.probe, row.location): row.id for row in connection.execute(sa.select(sources))}
    known: dict[int, int] = {}  # the number of a form by its digest
    used: dict[int, int] = {}  # when it was used last
    last = 0
    while True:
        portion = sa.select(old).where(old.c.id > last).order_by(old.c.id).limit(_AT_ONCE)
        rows = connection.execute(portion).mappings().all()
        if not rows:
            break
        last = rows[-1]["id"]
        packed = [(row, *packer.pack(tuple(row[name] for name in names), dict(row))) for row in rows]
        new = {form.digest: form for _, form, _ in packed if form.digest not in known}
        if new:
            connection.execute(sa.insert(forms), [_form_row(form) for form in new.values()])
            for some in (list(new)[first : first + _KEYS] for first in range(0, len(new), _KEYS)):
                found = connection.execute(sa.select(forms.c.digest, forms.c.id).where(forms.c.digest.in_(some)))
                known |= {digest: number for digest, number in found}
        inserted = []
        for row, form, rest in packed:
            digest, at = form.digest, row["at"]
            used[digest] = max(at, used.get(digest, at))
            source = number_of[tuple(row[name] for name in names)]
            inserted.append(
                {"source": source, "at": at, "form": known[digest], "duration": row["duration"], "rest": rest}
            )
        connection.execute(sa.insert(runs), inserted)
    if used:
        one = forms.c.digest == sa.bindparam("its")
        times = [{"its": digest, "then": at} for digest, at in used.items()]
        connection.execute(sa.update(forms).where(one).values(used_at=sa.bindparam("then")), times)


def _form_row(form: Form) -> dict[str, object]:
    return {
        "digest": form.digest,
        "used_at": 0,
        "outcome": form.outcome,
        "code": form.code,
        "blame": form.blame,
        "discarded": form.discarded,
        "document": form.document,
    }
