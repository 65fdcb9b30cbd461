"""YAML 1.2 in, tables that know their places out; everything surprising about YAML is refused or settled here.

PyYAML finds the events, the composer below gives them their YAML 1.2 core meaning: `on`, `NO`, `1:30` and dates are
text, `010` is ten. Duplicate keys, merge keys, custom tags, bombs and cycles made of aliases are errors with a place.
The composer keeps its own stack, so no nesting can exhaust Python's.
"""

import re
import sys
from dataclasses import dataclass, field
from typing import Any

import yaml

from monitor.config import Problem
from monitor.config.table import COLUMN_BITS, SPOT_BITS, START, Path, Row, Spot, Table, place_of

MAX_ALIASES = 100
MAX_COPIED = 100_000  # nodes that aliases may add
MAX_DEPTH = 64
MAX_DIGITS = 300

_Events: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(f"{sign}inf") for sign in ("", "-", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_STR, _MAP, _SEQ = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))


def scalar(text: str) -> Any:
    """What a plain scalar means in the YAML 1.2 core schema. Raises ValueError for a number beyond all reason."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > MAX_DIGITS and (_INTEGER.fullmatch(text) or _OTHER_BASE.fullmatch(text) or _FLOAT.fullmatch(text)):
        raise ValueError("too long a number")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Template:
    """A scalar that holds `${…}`, and where it is to be replaced."""

    box: Table | Row
    key: Any
    path: Path
    text: str


@dataclass(slots=True)
class Document:
    """What a file says. `root` is None when `problems` hold why it cannot be read at all."""

    root: Any = None
    templates: list[Template] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, message: str, place: Spot) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(slots=True)
class _Frame:
    """A container that is still open. `key` is the key whose value comes next, None when a key comes next."""

    box: Table | Row
    anchor: str | None
    key: str | None = None
    key_place: Spot = START
    dropped: bool = False


_OPEN = object()  # an anchor whose node is not finished


def compose(text: str) -> Document:
    """The one document of a text. Never raises; problems are in the result."""
    document = Document()
    text = text.removeprefix("\ufeff")
    if bad := _FORBIDDEN.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        document.problems.append(Problem(line, column, f"character U+{ord(bad.group()):04X} is not allowed in YAML"))
        return document
    loader: Any = None
    try:
        loader = _Events(text)
        document.root = _Composer(document).compose(loader)
    except _Stop as stop:
        document.problems.append(Problem(*place_of(stop.place), stop.message))
    except yaml.YAMLError as error:
        document.problems.append(_syntax(error, text))
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _syntax(error: yaml.YAMLError, text: str) -> Problem:
    """A syntax error in one line, with the usual culprits named."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    if "\t" in here[: column + 1]:
        return Problem(line + 1, here.index("\t") + 1, "a tab cannot indent YAML; use spaces")
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    if "nesting depth" in problem:  # newer scanners give up by themselves, further ahead than the composer has read
        return Problem(line + 1, column + 1, f"nested more than {MAX_DEPTH} levels deep")
    context = getattr(error, "context", None)
    hint = "; inside { } and [ ] put `${…}` in quotes" if "${" in here else ""
    message = " ".join(f"not valid YAML: {problem}{f' ({context})' if context else ''}{hint}".split())
    return Problem(line + 1, column + 1, message)


class _Composer:
    """Turns events into tables, one event at a time."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Any] = {}
        self.aliases = 0
        self.copied = 0
        self.root: Any = None

    def compose(self, loader: Any) -> Any:
        """The root of the first document, which must be the only one."""
        next_event, documents = loader.get_event, 0
        while True:  # four hundred thousand turns for ten thousand modules: whatever is done in each is done at once
            event = next_event()
            kind = type(event)
            mark = event.start_mark
            place = (mark.line + 1) << COLUMN_BITS | mark.column + 1
            if kind is yaml.ScalarEvent:
                self.scalar(event, place)
            elif kind is yaml.MappingStartEvent:
                self.open(Table(), event, place)
            elif kind is yaml.SequenceStartEvent:
                self.open(Row(), event, place)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close()
            elif kind is yaml.AliasEvent:
                self.alias(event.anchor, place)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise _Stop("a second document begins here; the file must hold one", place)
            elif kind is yaml.StreamEndEvent:
                return self.root

    def scalar(self, event: Any, place: Spot) -> None:
        """A key or a value."""
        frame = self.stack[-1] if self.stack else None
        text = event.value
        if frame is not None and frame.key is None and type(frame.box) is Table:
            if event.anchor:
                self.anchors[event.anchor] = text
            self.key(frame, text, event, place)
            return
        value: Any = text
        if event.tag is None or event.tag == "!":
            if event.implicit[0] and event.tag is None:
                try:
                    value = scalar(text)
                except ValueError as error:
                    self.problem(place, f"{error} of {len(text)} digits; put it in quotes if it is text")
                else:
                    if value is not None and len(self.stack) == 2 and self.in_vars():
                        value = text  # `cep: 01310` in `vars` or `demo` is text, zeros and all
        elif event.tag != _STR:
            self.tag(event.tag, place)
        if event.anchor:
            self.anchors[event.anchor] = value
        self.attach(value, place)

    def in_vars(self) -> bool:
        return self.stack[0].key in ("vars", "demo")

    def key(self, frame: _Frame, text: str, event: Any, place: Spot) -> None:
        """A key; a second one of the same name is told and its value forgotten."""
        box = frame.box
        assert isinstance(box, Table)
        if event.tag is not None and event.tag not in ("!", _STR):
            self.tag(event.tag, place)
        if text == "<<" and event.implicit[0]:
            self.problem(place, "merge keys (`<<`) are not supported; repeat the keys, or set them in `defaults`")
            frame.dropped = True
        elif text in box:
            first, again = place_of(box.spots(text)[0]).line, place_of(place).line
            self.problem(place, f"duplicate key `{_shown(text)}`: line {again} repeats line {first}")
            frame.dropped = True
        frame.key, frame.key_place = sys.intern(text), place  # ten thousand modules have the same few keys

    def open(self, box: Table | Row, event: Any, place: Spot) -> None:
        """A container begins."""
        if event.tag not in (None, "!", _MAP if type(box) is Table else _SEQ):
            self.tag(event.tag, place)
        if len(self.stack) >= MAX_DEPTH:
            raise _Stop(f"nested more than {MAX_DEPTH} levels deep", place)
        self.attach(box, place, opening=True)
        if event.anchor:
            self.anchors[event.anchor] = _OPEN
        self.stack.append(_Frame(box, event.anchor))

    def close(self) -> None:
        """The innermost container ends, and with it the value of its parent's key."""
        frame = self.stack.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = frame.box
        if self.stack:
            self.stack[-1].key = None
            self.stack[-1].dropped = False

    def attach(self, value: Any, place: Spot, opening: bool = False) -> None:
        """Puts a value where it belongs; a container keeps its parent's key until it is closed."""
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        box = frame.box
        if type(box) is Row:
            box.append(value)
            box.places.append(place)
            if type(value) is str and "${" in value:
                self.template(box, len(box) - 1, value)
            return
        assert type(box) is Table
        key = frame.key
        if key is None:
            raise _Stop("a key must be a single word, not a mapping or a list", place)
        if not frame.dropped:
            box[key] = value
            box.places[key] = frame.key_place << SPOT_BITS | place
            if type(value) is str and "${" in value:
                self.template(box, key, value)
        if not opening:
            frame.key = None
            frame.dropped = False

    def template(self, box: Table | Row, key: Any, text: str) -> None:
        """Notes a scalar for substitution, under its path; what was dropped is not asked for."""
        if any(frame.dropped for frame in self.stack):
            return
        self.document.templates.append(Template(box, key, self.path(), text))

    def path(self) -> Path:
        return tuple(f.key if f.key is not None else max(len(f.box) - 1, 0) for f in self.stack)

    def alias(self, anchor: str, place: Spot) -> None:
        """A copy of what the anchor names, so that nothing in the tree is shared and no cycle can form."""
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.box) is Table:
            raise _Stop("an alias cannot be a key", place)
        if anchor not in self.anchors:
            raise _Stop(f"alias `*{_shown(anchor)}` names no anchor before it", place)
        value = self.anchors[anchor]
        if value is _OPEN:
            raise _Stop(f"alias `*{_shown(anchor)}` contains itself", place)
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _Stop(f"more than {MAX_ALIASES} aliases", place)
        if not isinstance(value, Table | Row):
            self.attach(value, place)
            return
        self.attach(_OPEN, place, opening=True)
        path = self.path()
        copy = self.copy(value, path, place)
        if frame is None:
            self.root = copy
        elif isinstance(frame.box, Row):
            frame.box[-1] = copy
        elif not frame.dropped:
            frame.box[str(path[-1])] = copy
        if frame is not None:
            frame.key, frame.dropped = None, False

    def copy(self, value: Table | Row, path: Path, place: Spot) -> Table | Row:
        """A deep copy, its templates noted under their new paths. Counts what it adds."""
        if len(path) >= MAX_DEPTH:
            raise _Stop(f"nested more than {MAX_DEPTH} levels deep", place)
        self.copied += 1 + len(value)
        if self.copied > MAX_COPIED:
            raise _Stop(f"aliases expand to more than {MAX_COPIED:,} nodes", place)
        new: Any = type(value)()
        new.places = value.places.copy()
        members: Any = value.items() if isinstance(value, Table) else enumerate(value)
        for key, one in members:
            copied = self.copy(one, (*path, key), place) if isinstance(one, Table | Row) else one
            if isinstance(new, Table):
                new[key] = copied
            else:
                new.append(copied)
            if type(one) is str and "${" in one and not any(frame.dropped for frame in self.stack):
                self.document.templates.append(Template(new, key, (*path, key), one))
        return new  # type: ignore[no-any-return]

    def tag(self, tag: str, place: Spot) -> None:
        self.problem(place, f"tag `{_shown(tag)}` is not supported; only `!!str`, `!!map` and `!!seq` are")

    def problem(self, place: Spot, message: str) -> None:
        self.document.problems.append(Problem(*place_of(place), message))


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"
