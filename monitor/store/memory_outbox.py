"""MemoryOutbox: the same outbox in dictionaries. It keeps the rows a database would keep."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from monitor.core.outbox import OVER, WAITING, Letter, Place, State, is_free
from monitor.core.outcome import Course, courses
from monitor.store.contract import Claim
from monitor.store.postal import FREE, found_letter, happening_of, letter_row, snapshot_of, taken_row
from monitor.store.rows import Row

_WAITING = [state.value for state in WAITING]
_OVER = [state.value for state in OVER]


class MemoryOutbox:
    """See Outbox."""

    def __init__(self) -> None:
        self.happenings: dict[tuple[str, int], Row] = {}
        self.rows: dict[tuple[str, int, str], Row] = {}
        self.names: set[str] = set()

    def keep(self, happenings: dict[tuple[str, int], Row], rows: dict[tuple[str, int, str], Row]) -> None:
        """What is new; what is known stays as it is."""
        self.happenings = {**happenings, **self.happenings}
        self.rows = {**rows, **self.rows}

    def forget(self, old: Callable[[str, int, bool], bool]) -> None:
        """What is old, by its incident, its moment and whether it is settled, is gone."""
        self.happenings = {key: row for key, row in self.happenings.items() if not old(key[0], row["at"], True)}
        self.rows = {
            key: row for key, row in self.rows.items() if not old(key[0], row["at"], row["state"] not in _WAITING)
        }

    async def begin(self, owner: str = "") -> list[Letter]:
        """See Outbox."""
        for row in self.rows.values():
            if row["state"] == State.SENDING:
                row |= {"state": State.PENDING.value, "claimed_until": None}
        return _letters(row for row in self.rows.values() if row["state"] not in _OVER + _WAITING)

    async def waiting(self) -> list[Letter]:
        """See Outbox."""
        found = _letters(row for row in self.rows.values() if row["state"] in _WAITING)
        return sorted(found, key=lambda one: (one.at, *one.key))

    async def claim(self, letter: Letter, token: str, now: datetime, folded: Sequence[Letter] = ()) -> Claim | None:
        """See Outbox."""
        keys = {letter.key, *(one.key for one in folded)}
        waiting = {one.key: one for one in await self.waiting() if _same(one, letter) and one.seq <= letter.seq}
        if waiting.keys() != keys or not all(is_free(one, now) for one in waiting.values()):
            return None
        self.rows[letter.key] = letter_row(letter, token)
        for one in folded:
            self.rows[one.key] |= taken_row(letter, token)
        found = self.happenings.get((letter.incident, letter.seq))
        known = sorted(
            (row["seq"], row["external"])
            for row in self.rows.values()
            if (row["incident"], row["channel"]) == (letter.incident, letter.channel) and row["external"] is not None
        )
        return Claim(None if found is None else snapshot_of(found), known[-1][1] if known else None)

    async def settle(self, letter: Letter, folded: Sequence[Letter], token: str | None) -> bool:
        """See Outbox."""
        row = self.rows.get(letter.key)
        if row is None or (row["state"] in _OVER if token is None else row["claim_token"] != token):
            return False
        self.rows[letter.key] = letter_row(letter)
        for one in folded:
            if self.rows.get(one.key, {"state": ""})["state"] in _WAITING:
                self.rows[one.key] = letter_row(one)
        for row in self.rows.values():
            if token is not None and row["claim_token"] == token:
                row |= FREE
        return True

    async def post(self, letters: Sequence[Letter]) -> None:
        """See Outbox."""
        self.keep({}, {one.key: letter_row(one) for one in letters})

    async def post_once(self, letters: Mapping[str, Sequence[Letter]], now: datetime) -> list[str]:
        """See Outbox."""
        fresh = [name for name in letters if name not in self.names]
        self.names |= set(fresh)
        await self.post([one for name in fresh for one in letters[name]])
        return fresh

    async def posted(self, names: Collection[str]) -> set[str]:
        """See Outbox."""
        return self.names & set(names)

    async def revive(self, letter: Letter) -> bool:
        """See Outbox."""
        if self.rows.get(letter.key, {"state": ""})["state"] != State.DEAD:
            return False
        self.rows[letter.key] = letter_row(letter)
        return True

    async def letters(
        self, channel: str | None = None, state: str | None = None, *, limit: int, after: Place | None = None
    ) -> list[Letter]:
        """See Outbox."""
        found = [
            row for row in self.rows.values() if channel in (None, row["channel"]) and state in (None, row["state"])
        ]
        newest = sorted(_letters(found), key=lambda one: one.place, reverse=True)
        return [one for one in newest if after is None or one.place < after][:limit]

    async def courses(self, incidents: Sequence[str]) -> dict[str, Course]:
        """See Outbox."""
        events = [happening_of(row) for key, row in sorted(self.happenings.items()) if key[0] in incidents]
        return courses(events, _letters(row for key, row in sorted(self.rows.items()) if key[0] in incidents))

    async def counts(self) -> dict[tuple[str, str], int]:
        """See Outbox."""
        return dict(Counter((row["channel"], row["state"]) for row in self.rows.values()))


def _same(one: Letter, other: Letter) -> bool:
    return (one.incident, one.channel) == (other.incident, other.channel)


def _letters(rows: Iterable[Row]) -> list[Letter]:
    return [found_letter(row) for row in rows]
