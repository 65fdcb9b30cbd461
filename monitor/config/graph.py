"""Cycles of the dependency graph, found without recursion: a chain of ten thousand modules is a fair configuration."""

from collections import deque
from collections.abc import Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """One shortest cycle through the first node of each knot (strongly connected component), in the file's order."""
    order = {node: index for index, node in enumerate(edges)}
    found = []
    for knot in _knots(edges):
        start = min(knot, key=order.__getitem__)
        found.append(_shortest(start, edges, knot))
    return sorted(found, key=lambda cycle: order[cycle[0]])


def _knots(edges: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """Tarjan's components of more than one node, with its own stack."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    knots = []
    for root in edges:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        open_.append(root)
        is_open.add(root)
        work = [(root, iter(edges[root]))]
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in edges:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_.append(target)
                    is_open.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = {open_.pop()}
                    while node not in knot:
                        knot.add(open_.pop())
                    is_open -= knot
                    if len(knot) > 1:
                        knots.append(knot)
    return knots


def _shortest(start: str, edges: Mapping[str, Sequence[str]], knot: set[str]) -> tuple[str, ...]:
    """A shortest way from a node of a knot back to itself."""
    came: dict[str, str] = {}
    todo = deque([start])
    while todo:
        node = todo.popleft()
        for target in edges[node]:
            if target == start:
                way = [node]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return tuple(reversed(way))
            if target in knot and target not in came:
                came[target] = node
                todo.append(target)
    raise AssertionError("a node of a knot reaches itself")
