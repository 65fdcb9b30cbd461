"""Runs: judged runs as they lie in the database, packed; and back. See `packing` for how little that is."""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store.batch import Key, Run
from monitor.store.months import Months
from monitor.store.packing import SECOND, Form, Packer, unpacked
from monitor.store.rows import Row, Stored
from monitor.store.schema import forms, runs, sources
from monitor.store.statements import Statements

DAY = 86400 * SECOND
_AT_ONCE = 200  # keys in one look-up
_REMEMBERED = 20_000  # forms

RUN = ("at", "module", "probe", "location", "outcome", "code", "blame", "discarded", "duration", "document")

# A run without a form is damage, and is to be found as such: no inner join.
STORED = select(
    runs.c.source,
    runs.c.at,
    sources.c.module,
    sources.c.probe,
    sources.c.location,
    forms.c.outcome,
    forms.c.code,
    forms.c.blame,
    forms.c.discarded,
    runs.c.duration,
    forms.c.document,
    runs.c.rest,
).select_from(runs.join(sources, sources.c.id == runs.c.source).join(forms, forms.c.id == runs.c.form, isouter=True))


def row_of(stored: Stored) -> Row:
    """A row of STORED as one of `rows.observation_row`, its document read. Raises ValueError for a damaged one."""
    row: Row = {name: stored[name] for name in RUN}
    row["document"] = unpacked(stored["at"], stored["document"], stored["rest"])
    return row


class RunWriter:
    """Packs and writes, into `months` where each has a table, and remembers the numbers of sources and forms for as
    long as every transaction succeeds."""

    def __init__(self, statements: Statements, months: Months | None) -> None:
        self._months = months
        self._source = statements.insert(sources).on_conflict_do_nothing()
        form = statements.insert(forms)
        self._form = form.on_conflict_do_update(
            index_elements=["digest"],
            set_={"used_at": form.excluded.used_at},
            where=form.excluded.used_at > forms.c.used_at,
        )
        self._runs = statements.runs
        self.packer = Packer()
        self._sources: dict[Key, int] = {}
        self._forms: dict[tuple[Form, int], int] = {}  # with the day: a form that is used is written down once a day

    def forget(self) -> None:
        """Nothing is sure any more."""
        self.packer.forget()
        self._sources.clear()
        self._forms.clear()
        if self._months is not None:
            self._months.forget()

    async def write(self, connection: AsyncConnection, runs: Sequence[Run]) -> None:
        """Stores runs that are not there yet."""
        await self._write(
            connection,
            [(run.key, run.row, *(run.packed or self.packer.pack(run.key, run.row, run.said))) for run in runs],
        )

    async def write_rows(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """The same for rows of `rows.observation_row`."""
        await self._write(connection, [(_key(row), row, *self.packer.pack(_key(row), row)) for row in rows])

    async def _write(self, connection: AsyncConnection, packed: Sequence[tuple[Key, Row, Form, bytes]]) -> None:
        if not packed:
            return
        if len(self._forms) > _REMEMBERED:
            self._forms.clear()
        if self._months is not None:
            await self._months.make(connection, {row["at"] for _, row, _, _ in packed})
        await self._name_sources(connection, {key for key, *_ in packed})
        await self._name_forms(connection, {(form, row["at"] // DAY): row["at"] for _, row, form, _ in packed})
        written = (
            {
                "source": self._sources[key],
                "at": row["at"],
                "form": self._forms[form, row["at"] // DAY],
                "duration": row["duration"],
                "rest": rest,
            }
            for key, row, form, rest in packed
        )
        await self._runs.write(connection, written)

    async def _name_sources(self, connection: AsyncConnection, keys: set[Key]) -> None:
        new = [
            {"module": module, "probe": probe, "location": location}
            for module, probe, location in keys - self._sources.keys()
        ]
        if new:
            await connection.execute(self._source, sorted(new, key=_key))
            self._sources = {_key(row): row["id"] for row in (await connection.execute(select(sources))).mappings()}

    async def _name_forms(self, connection: AsyncConnection, used: Mapping[tuple[Form, int], int]) -> None:
        new = {key: at for key, at in used.items() if key not in self._forms}
        if not new:
            return
        digests = {form: form.digest for form, _ in new}
        rows = [
            {
                "digest": digests[form],
                "used_at": at,
                "outcome": form.outcome,
                "code": form.code,
                "blame": form.blame,
                "discarded": form.discarded,
                "document": form.document,
            }
            for (form, _), at in new.items()
        ]
        await connection.execute(self._form, rows)
        numbers: dict[int, int] = {}
        wanted = list(digests.values())
        for start in range(0, len(wanted), _AT_ONCE):
            query = select(forms.c.digest, forms.c.id).where(forms.c.digest.in_(wanted[start : start + _AT_ONCE]))
            numbers |= {digest: id for digest, id in (await connection.execute(query)).all()}
        self._forms |= {(form, day): numbers[digests[form]] for form, day in new}


def _key(row: Stored) -> Key:
    return row["module"], row["probe"], row["location"]


async def sweep_source(connection: AsyncConnection, source: int, before: int, limit: int) -> int:
    """Deletes the oldest runs of a source that began before a moment, so many at most; says how many."""
    r = runs.c
    old = and_(r.source == source, r.at < before)
    last = select(r.at).where(old).order_by(r.at).offset(limit - 1).limit(1).scalar_subquery()
    gone = await connection.execute(delete(runs).where(old, r.at <= func.coalesce(last, before)))
    return gone.rowcount


async def sweep_forms(connection: AsyncConnection, before: int) -> int:
    """Deletes the forms that no run since a moment can have; says how many."""
    return (await connection.execute(delete(forms).where(forms.c.used_at < before - DAY))).rowcount


async def rename_sources(connection: AsyncConnection, old: str, new: str) -> None:
    """Runs of a module go on under another id; of two at the same moment that of the other id stays."""
    found = (await connection.execute(select(sources).where(sources.c.module.in_((old, new))))).mappings().all()
    theirs = {(row["probe"], row["location"]): row["id"] for row in found if row["module"] == new}
    for row in found:
        if row["module"] != old:
            continue
        mine, other = row["id"], theirs.get((row["probe"], row["location"]))
        if other is None:
            await connection.execute(update(sources).where(sources.c.id == mine).values(module=new))
            continue
        twin = runs.alias()
        same = exists(select(twin.c.at).where(twin.c.source == other, twin.c.at == runs.c.at))
        await connection.execute(delete(runs).where(runs.c.source == mine, same))
        await connection.execute(update(runs).where(runs.c.source == mine).values(source=other))
        await connection.execute(delete(sources).where(sources.c.id == mine))
