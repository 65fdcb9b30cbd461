"""Cells: what a thing was worked out from decides whether it is worked out again.

A publication is worked out from one picture: figures, views, pages, files. Each of these is a *cell*: a method whose
value is remembered together with every other cell it looked at, and with those that looked at it. Nobody has to say
what a page depends on, and nobody can forget to.

What looks at the picture itself is *given*, and looks at nothing else. A given thing may name the *source* it is read
from, an aspect of a module; then it is read anew when the picture says that this source has changed, else in every
publication. Where it has another value by then, everything that was worked out from it, near or far, is *doubtful*. A
doubtful cell is looked through when it is asked for: it is worked out again only if something it looked at is another
thing now; otherwise the old value stands, and is the very same object. What is not doubtful costs nothing at all, so a
publication costs what has changed.

A cell must look at nothing but its arguments, given things and other cells. One that looks at the clock says until
when its value stands.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import MAXYEAR, datetime
from functools import update_wrapper
from heapq import heapify, heappop, heappush
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from monitor.pages.found import ANY, DOUBTFUL, GONE, PAST, SOUND, Cell, Content, Found, Key, Looking, Source, Stored

P = ParamSpec("P")
T = TypeVar("T")


class Owner(Protocol):
    """Whose methods are cells. `name` tells one owner of a publication from another."""

    @property
    def cells(self) -> "Cells":
        """The cells of its publication."""
        ...

    @property
    def name(self) -> Hashable:
        """The same in every publication."""
        ...


O = TypeVar("O", bound=Owner)  # noqa: E741


class Cells:
    """The cells of one publication, made `now`; `before` is what was `found` for the last one, and `changes` tells
    which sources are others than what it saw, and what is seen now. Used by one thread at a time."""

    def __init__(
        self,
        before: Found | None = None,
        now: datetime | None = None,
        changes: Callable[[Any], tuple[Iterable[Source], Any]] | None = None,
    ) -> None:
        self.found = before or Found()
        self._now = now
        self._changes = changes
        self._owners: dict[Hashable, Owner] = {}
        self._looking: list[Looking] = []
        self._asked: set[Cell] = set()
        self._loose: set[Cell] = set()
        self._begun = False
        self._laid: dict[str, None] = {}
        self._lists: dict[str, None] = {}

    def belong_to(self, owner: Owner) -> None:
        """From now on its methods may be asked for again."""
        self._owners[owner.name] = owner

    def knew(self, key: Key) -> bool:
        """Whether it was worked out before."""
        return key in self.found.cells

    def stands_until(self, moment: datetime) -> None:
        """What is being worked out looks at the clock: at this moment it may be another thing, and not before."""
        mine = self._looking[-1]
        if moment.year == MAXYEAR:
            return
        mine.due = moment if mine.due is None else min(mine.due, moment)

    def close(self) -> None:
        """The publication is made: `found` stays, nothing can be looked at any more, and what nobody asked for any more
        is forgotten. Owners and their cells know each other, and with them the whole picture would stay in memory
        until somebody looks for such rings."""
        for cell in self.found.asked - self._asked:
            cell.asked = False
            self._loose.add(cell)
        self.found.asked = self._asked
        self._sweep()
        self._owners, self._changes = {}, None

    # --- looking

    def look(self, key: Key, source: str | None) -> Any:
        """The value of a cell. Whoever is being worked out now has looked at it."""
        if not self._begun:
            self._begin()
        cell = self.found.cells.get(key)
        if cell is None or cell.state != SOUND:
            cell = self._work_out(key, source) if cell is None else self._settle(cell)
        if self._looking:
            mine = self._looking[-1]
            same = mine.source == source and len(key) == 2  # read together: the source is the whole and no module
            if mine.source is not None and not same and (mine.source != ANY or source is None):
                raise RuntimeError(f"what is given by {mine.source!r} cannot look at {key[0].__qualname__}")
            mine.at[cell] = None
        else:
            self._asked.add(cell)
            cell.asked = True
        return cell.value

    def _begin(self) -> None:
        """Reads what may have changed; what was worked out from anything that did is doubtful from now on."""
        self._begun, found, now = True, self.found, self._now
        fresh = dict(found.always)
        if self._changes is not None:
            sources, seen = self._changes(found.seen)
            for source in sources:
                fresh |= found.sources.get(source, {})
            found.seen = seen
        back = found.at is not None and now is not None and now < found.at  # the clock was set back
        while found.timers and now is not None and (back or found.timers[0][0] <= now):
            due, _, cell = heappop(found.timers)
            if cell.due == due and cell.state != GONE:
                cell.due = PAST
                self._doubt(cell)
        if len(found.timers) > 2 * len(found.cells):  # most are of cells that are gone
            found.timers = [one for one in found.timers if one[2].due == one[0] and one[2].state != GONE]
            heapify(found.timers)
        found.at = now
        known = [found.cells[key] for key in fresh if key in found.cells]
        for cell in known:
            cell.state = DOUBTFUL  # before the first one is read: given things look at each other
        for cell in known:
            if cell.state == DOUBTFUL:
                try:
                    self._settle(cell)
                except Exception:  # nobody knows yet whether anybody asks for it
                    self._doubt_users(cell)

    def _settle(self, cell: Cell) -> Cell:
        """A doubtful cell as it is now."""
        if cell.source is None and cell.due != PAST and self._stand(cell):
            cell.state = SOUND
            return cell
        return self._work_out(cell.key, cell.source, cell)

    def _stand(self, cell: Cell) -> bool:
        """Whether all that it looked at is still there. The order matters: what was looked at first may have decided
        whether the rest exists at all."""
        for one in cell.looked_at:
            if one.state == DOUBTFUL:
                self._settle(one)
            if one.state != SOUND:
                return False
        return True

    def _work_out(self, key: Key, source: str | None, old: Cell | None = None) -> Cell:
        make, name, *arguments = key
        mine = Looking(source)
        self._looking.append(mine)
        try:
            value = make(self._owners[name], *arguments)
        finally:
            self._looking.pop()
        if type(value) is bytes and old is not None and isinstance(old.value, Stored):
            value = Content(value)
        cell = old if old is not None and old.value == value else Cell(key, value, source)
        if cell is not old:
            self._replace(old, cell)
        else:
            for one in cell.looked_at:
                if one not in mine.at:
                    one.users.discard(cell)
                    self._loose.add(one)
        cell.state, cell.looked_at, cell.due = SOUND, tuple(mine.at), mine.due
        if source is not None:
            return cell
        for one in mine.at:
            one.users.add(cell)
        if mine.due is not None:
            heappush(self.found.timers, (mine.due, next(self.found.number), cell))
        return cell

    def _replace(self, old: Cell | None, cell: Cell) -> None:
        self.found.cells[cell.key] = cell
        if old is None:
            if cell.source is not None:
                self._readers(cell)[cell.key] = None
            return
        self._doubt_users(old)
        self._leave(old)
        cell.file = old.file
        if cell.file is not None:
            self.found.doubtful[cell.file] = None

    def _readers(self, cell: Cell) -> dict[Key, None]:
        """What is read when its source has changed."""
        if cell.source == ANY:
            return self.found.always
        subject = (cell.source or ANY, cell.key[2] if len(cell.key) > 2 else "")
        return self.found.sources.setdefault(subject, {})

    def _leave(self, cell: Cell) -> None:
        cell.state = GONE
        for one in cell.looked_at:
            one.users.discard(cell)
            self._loose.add(one)

    def _doubt(self, cell: Cell) -> None:
        """It, and everything that was worked out from it, may be another thing now."""
        doubtful = [cell]
        while doubtful:
            one = doubtful.pop()
            if one.state == SOUND:
                one.state = DOUBTFUL
                if one.file is not None:
                    self.found.doubtful[one.file] = None
                doubtful += one.users

    def _doubt_users(self, cell: Cell) -> None:
        for one in cell.users:
            self._doubt(one)

    def _sweep(self) -> None:
        """Forgets what is neither a file nor looked at by anybody."""
        found, loose = self.found, list(self._loose)
        self._loose = set()
        while loose:
            cell = loose.pop()
            if cell.users or cell.asked or cell.file is not None or found.cells.get(cell.key) is not cell:
                continue
            del found.cells[cell.key]
            if cell.source is not None:
                self._readers(cell).pop(cell.key, None)
            cell.state = GONE
            for one in cell.looked_at:
                one.users.discard(cell)
                loose.append(one)

    # --- files

    def list(self, name: str, wanted: Mapping[str, Key], part: Callable[[Key], bool] = lambda key: True) -> None:
        """The files that are cells, by path: all that are `wanted` under this name. Where there are new ones, `part`
        says which of them are made now; the others wait for later publications."""
        self._lists[name] = None
        found, before = self.found, self.found.listed.get(name)
        if before is not wanted:
            for path, key in (before or {}).items():
                if wanted.get(path) != key:
                    self._unlist(path)
            for path, key in wanted.items():
                if path not in found.keys:
                    found.keys[path] = found.waiting[path] = key
            found.listed[name] = wanted
        for path in [path for path in found.waiting if path in wanted]:
            key = found.keys[path]
            if self.knew(key) or part(key):
                del found.waiting[path]
                found.doubtful[path] = None

    def _unlist(self, path: str) -> None:
        found = self.found
        cell = found.cells.get(found.keys.pop(path))
        if cell is not None:
            cell.file = None
            self._loose.add(cell)
        found.waiting.pop(path, None)
        found.doubtful.pop(path, None)
        if found.files.pop(path, None) is not None:
            found.changed.add(path)

    def bring(
        self,
        aside: Callable[[str, bytes], bytes] = lambda path, content: content,
        waits: Callable[[str], bool] = lambda path: False,
    ) -> None:
        """Every file that is a cell is what it is now; of one that is new that is kept which `aside` gives for it. One
        that may be another thing now and `waits` stays as it was published until a later publication."""
        if not self._begun:
            self._begin()
        found, waiting = self.found, set[str]()
        while paths := [path for path in found.doubtful if path not in waiting]:
            for path in paths:
                key = found.keys[path]
                cell = found.cells.get(key)
                if cell is None:
                    cell = self._work_out(key, None)
                elif cell.state != SOUND:
                    if waits(path):
                        waiting.add(path)
                        continue
                    cell = self._settle(cell)
                cell.file = path
                self._write(path, cell.value)
                if path in found.changed:
                    found.files[path] = aside(path, found.files[path])
                cell.value = found.files[path]
                del found.doubtful[path]

    def put(self, path: str, content: bytes) -> None:
        """This is what the file holds from now on."""
        self._laid[path] = None
        self._write(path, content)

    def _write(self, path: str, content: bytes) -> None:
        found, before = self.found, self.found.files.get(path)
        if before is content:
            return
        content = Content(content) if type(content) is bytes else content
        if before != content:
            found.files[path] = content
            found.changed.add(path)

    def keep(self, path: str) -> None:
        """The file stays what it is."""
        self._laid[path] = None

    def clear(self) -> None:
        """Files that nobody listed or put in this publication are gone."""
        found = self.found
        for name in found.listed.keys() - self._lists.keys():
            for path in found.listed.pop(name):
                self._unlist(path)
        for path in found.laid.keys() - self._laid.keys():
            if found.files.pop(path, None) is not None:
                found.changed.add(path)
        found.laid = self._laid

    def only(self, lay: Callable[[], None]) -> dict[str, bytes]:
        """The files that one part of the site lays down, as they are now."""
        self._laid, self._lists, found = {}, {}, self.found
        lay()
        self.bring()
        paths = (*self._laid, *(path for name in self._lists for path in found.listed[name]))
        return {path: found.files[path] for path in paths if path in found.files}

    def as_before(self, name: str, inputs: object) -> bool:
        """Whether what is made of these inputs is what was made last under this name."""
        same = name in self.found.inputs and self.found.inputs[name] == inputs
        self.found.inputs[name] = inputs
        return same

    def put_away(self) -> None:
        """The files that were made are on the disk: none of them is held in memory any longer."""
        found = self.found
        for path in found.changed & found.files.keys():
            found.files[path] = stored = Stored.of(found.files[path])
            cell = found.cells.get(found.keys[path]) if path in found.keys else None
            if cell is not None:
                cell.value = stored
        found.changed.clear()


def cell(make: Callable[Concatenate[O, P], T]) -> Callable[Concatenate[O, P], T]:
    """A method that looks at nothing but cells."""
    return _remembered(make, None)


def given(make: Callable[Concatenate[O, P], T]) -> Callable[Concatenate[O, P], T]:
    """A method that looks at the picture itself, in every publication."""
    return _remembered(make, ANY)


def given_by(source: str) -> Callable[[Callable[Concatenate[O, P], T]], Callable[Concatenate[O, P], T]]:
    """A method that looks at one aspect of the picture, of the module that is its argument if it has one, and is read
    when that has changed."""

    def of(make: Callable[Concatenate[O, P], T]) -> Callable[Concatenate[O, P], T]:
        return _remembered(make, source)

    return of


def key_of(method: Callable[..., object], owner: Owner, *arguments: Hashable) -> Key:
    """The key of a cell."""
    return (method.__wrapped__, owner.name, *arguments)  # type: ignore[attr-defined]


def _remembered(make: Callable[Concatenate[O, P], T], source: str | None) -> Callable[Concatenate[O, P], T]:
    def look(owner: O, /, *arguments: P.args, **_: P.kwargs) -> T:
        found: T = owner.cells.look((make, owner.name, *arguments), source)
        return found

    return update_wrapper(look, make)
