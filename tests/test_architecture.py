"""The rooms of `docs/architecture.md`, read from the imports."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from pkgutil import resolve_name

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "monitor"
FILES = sorted(PACKAGE.rglob("*.py"))

QUIET = frozenset(
    {
        *("bisect", "collections", "dataclasses", "datetime", "difflib", "enum", "functools", "hashlib", "heapq"),
        "itertools",
        *("json", "math", "operator", "re", "typing", "unicodedata"),
    }
)
HANDS = frozenset({"config", "metrics", "notify", "pages", "probers", "simulator", "store", "web"})
ROOMS = {
    "chronicle": frozenset({"core"}),
    "connection": frozenset({"loop"}),
    "clock": frozenset[str](),
    "core": frozenset({"core"}),
    "data": frozenset({"config", "store"}),
    "backlog": frozenset({"core"}),
    "distress": frozenset({"core", "clock", "notify"}),
    "desk": frozenset({"core", "clock", "backlog", "chronicle", "hands", "ledger", "spans"}),
    "following": frozenset({"core"}),
    "hands": frozenset({"core"}),
    "internet": frozenset[str](),
    "loop": frozenset[str](),
    "lasting": frozenset({"connection"}),
    "ledger": frozenset({"core"}),
    "logs": frozenset({"mask"}),
    "mask": frozenset[str](),
    "places": frozenset({"core", "clock", "config", "connection", "lasting", "loop", "mask", "places"}),
    "plots": frozenset({"clock", "core", "store"}),
    "figures": frozenset({"clock", "core", "store"}),
    "jobs": frozenset[str](),
    "leadership": frozenset({"clock", "store"}),
    "memory": frozenset[str](),
    "pulse": frozenset({"clock"}),
    "reloading": frozenset({"config"}),
    "reports": frozenset({"core", "store"}),
    "spans": frozenset[str](),
    "template": frozenset[str](),
    "watchdog": frozenset[str](),
    **{room: frozenset({"core", "clock", "internet", "loop", "mask", "template", room}) for room in HANDS},
    "notify": frozenset({"core", "clock", "connection", "internet", "lasting", "loop", "mask", "template", "notify"}),
}
TOP = frozenset(
    {
        *("agent", "app", "circulation", "cli", "commands", "courier", "exporter", "gazette", "lookout", "mailroom"),
        *("opsroom", "postman", "press", "reviews", "selfwatch", "standby", "ticketing", "turns", "undelivered"),
        *("tally", "unwritten", "upkeep", "watchroom"),
    }
)
MAY_IMPORT_TOP = {
    "agent": {"lookout"},
    "app": {
        *("circulation", "courier", "exporter", "lookout", "mailroom", "opsroom", "press", "selfwatch", "standby"),
        *("tally", "turns", "upkeep", "watchroom"),
    },
    "circulation": {"gazette"},
    "exporter": {"lookout"},
    "mailroom": {"postman", "reviews", "ticketing"},
    "opsroom": {"circulation", "mailroom", "press"},
    "postman": {"undelivered", "unwritten"},
    "standby": {"circulation", "mailroom", "opsroom", "press", "upkeep"},
    "turns": {"press", "standby"},
    "selfwatch": {"lookout", "mailroom", "press"},
    "watchroom": {"lookout", "mailroom", "press", "selfwatch"},
    "commands": {"agent", "app", "commands", "lookout", "mailroom", "ticketing"},
    "cli": {"app", "commands"},
    "__main__": {"cli"},
}
MOST_LINES = 400
NOT_A_NOUN = frozenset({"util", "utils", "helper", "helpers", "manager", "managers"})


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> tuple[str, ...]:
    """Full names of everything a file imports, at its top or inside a function: `monitor.core.board`."""
    found: list[str] = []
    for node in ast.walk(tree(file)):
        match node:
            case ast.Import(names):
                found += (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found += (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom():
                raise AssertionError(f"{file}: relative imports hide which room they reach into")
    return tuple(found)


def room_of(file: Path) -> str:
    """The room a file belongs to; a file outside every folder is a room of its own."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(file: Path) -> set[str]:
    parts = (name.split(".") for name in imports(file))
    return {part[1] for part in parts if part[0] == "monitor" and len(part) > 1} - {"__version__"}


def found(offences: dict[Path, set[str]]) -> dict[str, set[str]]:
    """The offenders by their short name; empty when all is well."""
    return {str(file.relative_to(PACKAGE)): what for file, what in offences.items() if what}


def test_core_imports_itself_and_quiet_standard_library_only() -> None:
    """Judgement cannot wait, fail or look around."""
    core = [file for file in FILES if room_of(file) == "core"]
    outside = {file: {name.partition(".")[0] for name in imports(file)} - QUIET - {"monitor"} for file in core}
    assert found(outside) == {}


def test_core_never_asks_what_time_it_is() -> None:
    """`now` is an argument, so a recorded day can be judged again."""
    asked = {
        file: {
            node.func.attr
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        & {"now", "today", "utcnow"}
        for file in FILES
        if room_of(file) == "core"
    }
    assert found(asked) == {}


def test_rooms_import_no_other_room() -> None:
    """Hands never reach into each other; they meet in the app."""
    beyond = {file: rooms_imported(file) - ROOMS[room_of(file)] for file in FILES if room_of(file) in ROOMS}
    assert found(beyond) == {}


def test_nobody_imports_the_commands_but_the_commands() -> None:
    """App, command line and commands are the top: they import, and are not imported."""
    above = {file: rooms_imported(file) & TOP - MAY_IMPORT_TOP.get(room_of(file), set()) for file in FILES}
    assert found(above) == {}


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Whoever reads one file can read those it rests on first; what is there for the types alone does not count."""
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in FILES}
    rests_on = {
        name: {above for one in needed(file) if (above := one if one in files else one.rpartition(".")[0]) in files}
        for name, file in files.items()
    }
    TopologicalSorter(rests_on).prepare()  # raises CycleError, which names the circle


def needed(file: Path) -> set[str]:
    """Full names of everything that a file imports when it runs."""
    typed = {
        id(inner)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    return {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ImportFrom) and id(node) not in typed
        for alias in node.names
    }


def test_every_file_belongs_to_a_room_that_the_documentation_names() -> None:
    """A new folder says which room it is, here and in the table of rooms."""
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {room_of(file) for file in FILES} - {"__init__", "__main__"}
    assert rooms <= {*ROOMS, *TOP}
    assert {room for room in rooms if f"`{room}`" not in table and f"`{room}.py`" not in table} == set()


def test_a_file_holds_one_noun() -> None:
    """No file is longer than 400 lines, and none is a drawer for odds and ends."""
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert found({file: {f"{n} lines"} for file, n in lines.items() if n > MOST_LINES}) == {}
    assert found({file: set(file.stem.split("_")) & NOT_A_NOUN for file in FILES}) == {}


def test_the_story_of_a_probe_result_is_told_in_the_code_s_own_names() -> None:
    """Every dotted name of the story can be looked up: in a room, in core, or as the class of a file."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    story = page.split("\n## Follow one probe result\n")[1].split("\n## ")[0]
    names = set(re.findall(r"`(\w+(?:\.\w+)+)`", story))
    assert len(names) > 15
    assert {name for name in names if not exists(name)} == set()


def exists(name: str) -> bool:
    head = name.partition(".")[0]
    for place in ("monitor", "monitor.core", f"monitor.{head.lower()}"):
        try:
            resolve_name(f"{place}.{name}")
        except (ImportError, AttributeError):
            continue
        return True
    return False
