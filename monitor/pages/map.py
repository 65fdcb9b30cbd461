"""Map: the dependencies as a drawing, with the cause of each open incident and the way its failure travels.

Where modules stand depends on the configuration alone, so the drawing stays the same while its marks change. Of very
many modules it shows what fails and what stands next to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from monitor.core.incident import Incident
from monitor.core.layout import Layout, Point, layout_of
from monitor.core.module import Status
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.cells import cell
from monitor.pages.facts import Facts
from monitor.pages.lens import Lens
from monitor.pages.view import Mark

MANY = 80  # modules from which on the map shows what matters
WIDE, HIGH, GAP = 122, 34, 22  # a module's box, and the space between two layers
LETTERS, LINES = 14, 2  # what fits into a box
EDGE = 4  # around everything

Edge = tuple[str, str]  # what is needed, and what needs it


@dataclass(frozen=True, slots=True)
class NodeView:
    """A module on the map. `told` is all of it in words."""

    id: str
    lines: tuple[str, ...]
    told: str
    mark: Mark
    role: str
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class MapView:
    """The drawing: paths of the lines along which nothing happens (`calm`), a failure travels (`strong`), or a circle
    closes (`back`); `explained` says of each cause what it explains, `note` what is left out."""

    id: str
    width: int
    height: int
    nodes: tuple[NodeView, ...]
    calm: str
    strong: str
    back: str
    explained: tuple[str, ...]
    note: str


def map_view(
    lens: Lens, status_of: Callable[[str], Status], failing: Iterable[str], incidents: Sequence[Incident]
) -> MapView | None:
    """The map of the platform; None where no module needs another. `failing` are the modules that fail now."""
    needs, needed = _edges(lens.facts)
    joined = [id for id, ones in needs.items() if ones or id in needed]
    if not joined:
        return None
    struck = {member.module: one for one in reversed(incidents) for member in one.members if member.until is None}
    shown, note = joined, ""
    if len(joined) > MANY:
        matters = _matters(needs, needed, [*struck, *failing])
        shown = [id for id in joined if id in matters]
        note = _note(lens, len(shown), len(joined))
    drawn = {id: tuple(one for one in needs[id] if one in needs and one in shown) for id in shown}
    layout = _layout(tuple(drawn.items()))
    strong = {edge for one in incidents for edge in _travelled(drawn, one, status_of)}
    edges = [(need, id) for id, ones in drawn.items() for need in ones]
    calm = [edge for edge in edges if edge not in strong and edge not in layout.back]
    return MapView(
        id="dependency_map",
        width=max(layout.layers * (WIDE + GAP) - GAP, 0) + 2 * EDGE,
        height=layout.height + 2 * EDGE,
        nodes=tuple(_node(lens, id, status_of(id), struck.get(id), layout.places[id]) for id in shown),
        calm=_paths(layout, calm),
        strong=_paths(layout, [edge for edge in edges if edge in strong]),
        back=_paths(layout, [edge for edge in edges if edge in layout.back and edge not in strong]),
        explained=tuple(filter(None, (_explained(lens, one) for one in incidents))),
        note=note,
    )


# --- what is drawn


@cell
def _edges(facts: Facts) -> tuple[dict[str, tuple[str, ...]], dict[str, list[str]]]:
    """What each module needs, and what needs it: the same as long as the configuration is."""
    every = facts.platform.modules
    needs = {
        id: tuple(edge.module for edge in module.depends_on if edge.module in every and edge.module != id)
        for id, module in every.items()
    }
    return needs, _needed(needs)


def _needed(needs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, ones in needs.items():
        for one in ones:
            found.setdefault(one, []).append(id)
    return found


def _matters(
    needs: Mapping[str, Sequence[str]], needed: Mapping[str, Sequence[str]], failing: Iterable[str]
) -> set[str]:
    """What fails, then what it needs, then what needs it, as many as there is room for."""
    hit = [id for id in dict.fromkeys(failing) if id in needs]
    beside = [*(one for id in hit for one in needs[id]), *(one for id in hit for one in needed.get(id, ()))]
    return set(list(dict.fromkeys([*hit, *beside]))[:MANY])


def _note(lens: Lens, shown: int, every: int) -> str:
    if not shown:
        return lens.word(N_("Of so many modules the map shows those that fail and what stands next to them: none now."))
    return lens.word(
        N_("The map shows {shown} of {every} modules: those that fail and what stands next to them."),
        shown=lens.number(shown),
        every=lens.number(every),
    )


@lru_cache(maxsize=16)
def _layout(needs: tuple[tuple[str, tuple[str, ...]], ...]) -> Layout:
    return layout_of(dict(needs))


def _travelled(
    needs: Mapping[str, Sequence[str]], incident: Incident, status_of: Callable[[str], Status]
) -> Iterable[Edge]:
    """The edges along which a failure gets from the cause to the other members, through modules that nobody sees."""
    root = incident.cause.module
    members = {member.module for member in incident.members if member.until is None}
    if root not in needs or root not in members:
        return
    there = {id for id in needs if id in members or status_of(id) is Status.UNKNOWN}
    needed = _needed({id: [one for one in ones if one in there] for id, ones in needs.items() if id in there})
    reached = _reach([root], needed)
    leading = _reach(members & reached, {id: [one for one in ones if one in reached] for id, ones in needs.items()})
    for id in reached & leading:
        for one in needs[id]:
            if one in reached and one in leading and id != root:
                yield one, id


def _reach(start: Iterable[str], onward: Mapping[str, Sequence[str]]) -> set[str]:
    seen = set(start)
    todo = list(seen)
    while todo:
        for one in onward.get(todo.pop(), ()):
            if one not in seen:
                seen.add(one)
                todo.append(one)
    return seen


# --- in words


def _node(lens: Lens, id: str, status: Status, incident: Incident | None, place: Point) -> NodeView:
    name, mark, role, told = lens.module_name(id), lens.mark(words.MODULE[status]), "", ""
    if incident is not None and incident.cause.module is not None:
        role = "root" if incident.cause.module == id else "affected"
        cause = lens.module_name(incident.cause.module)
        told = lens.word(words.ROOT) if role == "root" else lens.word(words.AFFECTED, module=cause)
    layer, top = place
    return NodeView(
        id=id,
        lines=lines_of(name),
        told=". ".join(filter(None, (f"{name}: {mark.word}", told))),
        mark=mark,
        role=role,
        left=EDGE + layer * (WIDE + GAP),
        top=EDGE + top - HIGH // 2,
    )


def lines_of(name: str) -> tuple[str, ...]:
    """A name in as many lines as a box has; what is too long ends in an ellipsis."""
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= LETTERS or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], " ".join(lines[LINES - 1 :])]
    return tuple(line if len(line) <= LETTERS else line[: LETTERS - 1].rstrip() + "…" for line in lines)


def _explained(lens: Lens, incident: Incident) -> str:
    root = incident.cause.module
    others = [one.module for one in incident.members if one.module != root and one.until is None]
    if root is None or not others:
        return ""
    names = lens.names([lens.module_name(one) for one in others])
    return lens.word(N_("{module} explains: {modules}."), module=lens.module_name(root), modules=names)


# --- lines


def _paths(layout: Layout, edges: Iterable[Edge]) -> str:
    """The lines of these edges as one path; what they share is drawn once."""
    hops: dict[tuple[str, Point, Point], None] = {}
    for need, module in edges:
        way, trunk = layout.way(need, module), need
        if way[0][0] > way[-1][0]:
            way, trunk = way[::-1], module
        hops.update(dict.fromkeys((trunk, *pair) for pair in pairwise(way)))
    return "".join(_hop(layout, *hop) for hop in hops)


def _hop(layout: Layout, trunk: str, start: Point, end: Point) -> str:
    """A line from one layer to the next, and on across that one where it only passes."""
    left, top, drop = EDGE + start[0] * (WIDE + GAP) + WIDE, EDGE + start[1], end[1] - start[1]
    bend = f"c{GAP // 2} 0 {GAP // 2} {drop} {GAP} {drop}" if drop else f"h{GAP}"
    passes = layout.lanes.get((trunk, end[0])) == end[1]
    return f"M{left} {top}{bend}" + (f"h{WIDE}" if passes else "")
