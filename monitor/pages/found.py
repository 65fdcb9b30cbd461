"""Found: what one publication hands on to the next: every cell, how they hang together, and the files they came to."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from itertools import count
from typing import Any

Key = tuple[Any, ...]  # the method, its owner's name, the arguments
Source = tuple[str, str]  # an aspect, and the module it is of; none where it is of the whole

PAST = datetime.min.replace(tzinfo=UTC)  # due whatever it looked at
ANY = ""  # the source of what is read in every publication
SOUND, DOUBTFUL, GONE = range(3)


class Stored(bytes):
    """The SHA-256 of a file that lies on the disk: it stands for the bytes of the file, and equals them. Of what was
    put together from parts it is the SHA-256 of theirs."""

    @classmethod
    def of(cls, content: bytes) -> "Stored":
        """What stands for these bytes from now on."""
        if isinstance(content, Stored):
            return content
        return content.stored if isinstance(content, Content) else cls(sha256(content).digest())

    def __eq__(self, other: object) -> bool:
        """Whether these are the bytes of the file, or stand for them."""
        return isinstance(other, bytes) and bytes.__eq__(self, Stored.of(other))

    def __ne__(self, other: object) -> bool:
        """Bytes have one of their own, which would compare the digest."""
        return not self == other

    __hash__ = bytes.__hash__


class Content(bytes):
    """The bytes of a file, looked through once however often they are compared. Those put together from `parts` are
    not looked through where a part is the same object as before."""

    parts: tuple["Content", ...] = ()

    @classmethod
    def of(cls, *parts: bytes) -> "Content":
        """The parts, one behind the other; a part that is kept from one publication to the next is a Content."""
        found = cls(b"".join(parts))
        found.parts = tuple(one if isinstance(one, Content) else cls(one) for one in parts)
        return found

    @cached_property
    def stored(self) -> Stored:
        """What stands for it."""
        return Stored(sha256(b"".join(one.stored for one in self.parts) if self.parts else self).digest())


class Passing(Content):
    """A few bytes that are others in every publication, as a date is. At most 65,535."""


class Cell:
    """A value, and the cells that were looked at to get it, in that order. `users` looked at this one.

    As long as the value stays the same the cell does, whatever it was worked out from. `file` is the path under which
    it is published; `asked`: somebody looked at it who is no cell. `due` is when it has to be worked out whatever it
    looked at. `source` is what a given thing is read from, `ANY` where that is the whole picture; None: worked out.
    """

    __slots__ = ("asked", "due", "file", "key", "looked_at", "source", "state", "users", "value")

    def __init__(self, key: Key, value: Any, source: str | None) -> None:
        self.key = key
        self.value = value
        self.source = source
        self.looked_at: tuple[Cell, ...] = ()
        self.users: set[Cell] = set()
        self.state = SOUND
        self.due: datetime | None = None
        self.file: str | None = None
        self.asked = False


class Found:
    """Everything that was worked out, handed on from one publication to the next, with the files it came to."""

    def __init__(self) -> None:
        self.cells: dict[Key, Cell] = {}
        self.seen: Any = None  # what the sources were compared with last
        self.at: datetime | None = None
        self.always: dict[Key, None] = {}  # given things without a source
        self.sources: dict[Source, dict[Key, None]] = {}
        self.timers: list[tuple[datetime, int, Cell]] = []
        self.asked: set[Cell] = set()
        self.number = count()
        self.files: dict[str, bytes] = {}
        self.keys: dict[str, Key] = {}  # of the files that are cells
        self.listed: dict[str, Mapping[str, Key]] = {}
        self.laid: dict[str, None] = {}  # paths of the files that are no cells
        self.waiting: dict[str, Key] = {}  # files that no publication has made yet
        self.doubtful: dict[str, None] = {}  # files that may have become others
        self.changed: set[str] = set()  # files, since they were last put away
        self.inputs: dict[str, object] = {}


class Looking:
    """What is being worked out, what it has looked at so far, and until when its value stands."""

    __slots__ = ("at", "due", "source")

    def __init__(self, source: str | None) -> None:
        self.at: dict[Cell, None] = {}
        self.due: datetime | None = None
        self.source = source
