"""Layout: where the modules of a dependency map stand, and which ways its lines go.

A drawing in layers, after Sugiyama, Tagawa and Toda: what is needed stands left of what needs it, so a failure travels
to the right. A line over several layers has a *lane* in each between; all lines that begin at one module share their
lanes, as branches share a trunk. The same graph gives the same layout, whatever the modules' statuses are.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil

BOX, LANE = 22, 4  # half of the height that a module and a lane keep free
TALL = 14  # modules in a layer before the next one takes some
SWEEPS = 12

Needs = Mapping[str, Sequence[str]]  # by module, what it needs
Item = tuple[str, int]  # a module in its layer, or its lane in a later one
Point = tuple[int, int]  # layer, and distance from the top


@dataclass(frozen=True)
class Layout:
    """`places` holds layer and distance from the top of each module's middle, `lanes` the same distance by module and
    layer. `back` are the edges (needed, in need) that close a circle: they alone go from right to left."""

    places: Mapping[str, Point]
    lanes: Mapping[Item, int]
    back: frozenset[tuple[str, str]]
    layers: int
    height: int

    def way(self, need: str, module: str) -> tuple[Point, ...]:
        """The points of the line from a module to one that needs it, one in each layer that it meets."""
        if (need, module) in self.back:
            return self._forth(module, need)[::-1]
        return self._forth(need, module)

    def _forth(self, left: str, right: str) -> tuple[Point, ...]:
        first, last = self.places[left], self.places[right]
        between = range(first[0] + 1, last[0])
        return (first, *((layer, self.lanes[(left, layer)]) for layer in between), last)


def layout_of(needs: Needs) -> Layout:
    """The layout of this graph; needs that are not among its modules are left out.

    1. Edges that close a circle are turned round.
    2. Each module gets the first layer behind everything it needs, then the last one before what needs it.
    3. The order within the layers is improved until lines cross less no more.
    4. Distances are chosen so that lines are as straight as the order allows.
    """
    known = {id: [one for one in dict.fromkeys(ones) if one in needs and one != id] for id, ones in needs.items()}
    back = _closing(known)
    ahead: dict[str, list[str]] = {id: [] for id in known}  # by module, those that stand to the right of it
    for id, ones in known.items():
        for one in ones:
            left, right = (id, one) if (one, id) in back else (one, id)
            ahead[left].append(right)
    ahead = {id: list(dict.fromkeys(ones)) for id, ones in ahead.items()}
    layer = _layers(ahead)
    columns, links = _items(ahead, layer)
    columns = _ordered(columns, links, layer)
    tops = _straightened(columns, links, layer)
    return Layout(
        places={id: (layer[id], tops[(id, layer[id])]) for id in known},
        lanes={item: top for item, top in tops.items() if layer[item[0]] != item[1]},
        back=back,
        layers=len(columns),
        height=max((top + _half(item, layer) for item, top in tops.items()), default=0),
    )


# --- 1. circles


def _closing(needs: Needs) -> frozenset[tuple[str, str]]:
    """The edges (needed, in need) that lead back to where a walk came from, in the order of the configuration."""
    back, done, under_way = set(), set(), set()
    for start in needs:
        if start in done:
            continue
        walk = [(start, iter(needs[start]))]
        under_way.add(start)
        while walk:
            id, rest = walk[-1]
            one = next(rest, None)
            if one is None:
                walk.pop()
                under_way.discard(id)
                done.add(id)
            elif one in under_way:
                back.add((one, id))
            elif one not in done:
                under_way.add(one)
                walk.append((one, iter(needs[one])))
    return frozenset(back)


# --- 2. layers


def _layers(ahead: Mapping[str, Sequence[str]]) -> dict[str, int]:
    tall = max(TALL, ceil(len(ahead) / 8))
    layer: dict[str, int] = {}
    filled: defaultdict[int, int] = defaultdict(int)
    order = _sorted(ahead)
    behind: dict[str, list[str]] = {id: [] for id in ahead}
    for id, ones in ahead.items():
        for one in ones:
            behind[one].append(id)
    for id in order:
        layer[id] = max((layer[one] + 1 for one in behind[id]), default=0)
        while filled[layer[id]] >= tall:
            layer[id] += 1
        filled[layer[id]] += 1
    for id in reversed(order):
        if not ahead[id] or len(behind[id]) >= len(ahead[id]):
            continue  # its lines would get no shorter
        last = min(layer[one] for one in ahead[id]) - 1
        free = next((one for one in range(last, layer[id], -1) if filled[one] < tall), layer[id])
        filled[layer[id]] -= 1
        filled[free] += 1
        layer[id] = free
    used = {one: number for number, one in enumerate(sorted(set(layer.values())))}
    return {id: used[one] for id, one in layer.items()}


def _sorted(ahead: Mapping[str, Sequence[str]]) -> list[str]:
    """Every module after those that stand left of it."""
    waiting = dict.fromkeys(ahead, 0)
    for ones in ahead.values():
        for one in ones:
            waiting[one] += 1
    order = [id for id, count in waiting.items() if not count]
    for id in order:  # which grows meanwhile
        for one in ahead[id]:
            waiting[one] -= 1
            if not waiting[one]:
                order.append(one)
    return order


# --- 3. order

Columns = list[list[Item]]
Links = dict[Item, list[Item]]  # to the next layer


def _items(ahead: Mapping[str, Sequence[str]], layer: Mapping[str, int]) -> tuple[Columns, Links]:
    """Modules and lanes by layer, and what is joined to what in the next one."""
    columns: Columns = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    links: Links = {}
    for id, ones in ahead.items():
        end = max((layer[one] for one in ones), default=layer[id] + 1)
        for here in range(layer[id], end):
            columns[here].append((id, here))
            onward = [(id, here + 1)] if here + 1 < end else []
            links[(id, here)] = onward + [(one, here + 1) for one in ones if layer[one] == here + 1]
    return columns, links


def _ordered(columns: Columns, links: Links, layer: Mapping[str, int]) -> Columns:
    """The best order of those that sweeps to and fro come by: each item stands at the mean of what it is joined to."""
    back, best, fewest = _turned(links), columns, -1
    for sweep in range(SWEEPS):
        if not fewest:
            break
        columns = [list(column) for column in columns]
        forth = sweep % 2 == 0
        numbers = range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1)
        for number in numbers:
            beside = columns[number - 1 if forth else number + 1]
            place = {item: index for index, item in enumerate(beside)}
            joined = back if forth else links
            mean = {
                item: _mean([place[one] for one in joined.get(item, ())], index)
                for index, item in enumerate(columns[number])
            }
            columns[number].sort(key=mean.__getitem__)
            columns[number] = [
                item
                for _, equal in groupby(columns[number], key=mean.__getitem__)
                for item in _lanes_amid(list(equal), layer)
            ]
        crossings = _crossings(columns, links)
        if crossings < fewest or fewest < 0:
            best, fewest = columns, crossings
    return best


def _lanes_amid(equal: list[Item], layer: Mapping[str, int]) -> list[Item]:
    """Items that want the same place, the lanes in their middle: a trunk goes straight on, its branches around it."""
    boxes = [item for item in equal if layer[item[0]] == item[1]]
    lanes = [item for item in equal if layer[item[0]] != item[1]]
    half = len(boxes) // 2
    return [*boxes[:half], *lanes, *boxes[half:]]


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _turned(links: Links) -> Links:
    found: Links = {}
    for item, ones in links.items():
        for one in ones:
            found.setdefault(one, []).append(item)
    return found


def _crossings(columns: Columns, links: Links) -> int:
    """How many pairs of lines between neighbouring layers cross."""
    total = 0
    for left, right in pairwise(columns):
        place = {item: index for index, item in enumerate(right)}
        met: list[int] = []
        for item in left:
            ends = sorted(place[one] for one in links.get(item, ()))
            total += sum(len(met) - bisect_right(met, end) for end in ends)
            for end in ends:
                insort(met, end)
    return total


# --- 4. distances


def _half(item: Item, layer: Mapping[str, int]) -> int:
    return BOX if layer[item[0]] == item[1] else LANE


def _straightened(columns: Columns, links: Links, layer: Mapping[str, int]) -> dict[Item, int]:
    """Distances from the top that keep the order and let nothing touch."""
    back, tops = _turned(links), {}
    for column in columns:
        for item, offset in zip(column, _offsets(column, layer), strict=True):
            tops[item] = float(offset)
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = []
            for item in column:
                joined = [*back.get(item, ()), *links.get(item, ())]
                pulls = [tops[one] for one in joined for _ in range(4 if one[0] == item[0] else 1)]
                wanted.append(_mean(pulls, tops[item]))
            tops.update(zip(column, _apart(wanted, _offsets(column, layer)), strict=True))
    rounded = {
        item: round(tops[item] - offset) + offset
        for column in columns
        for item, offset in zip(column, _offsets(column, layer), strict=True)
    }
    first = min((top - _half(item, layer) for item, top in rounded.items()), default=0)
    return {item: top - first for item, top in rounded.items()}


def _offsets(column: Sequence[Item], layer: Mapping[str, int]) -> list[int]:
    """How far from the first item each one is at least."""
    found, end = [], 0
    for item in column:
        found.append(end + _half(item, layer))
        end += 2 * _half(item, layer)
    return found


def _apart(wanted: Iterable[float], offsets: Sequence[int]) -> list[float]:
    """What comes closest to the wanted distances and keeps the items apart: neighbours that would touch move as one."""
    blocks: list[tuple[float, int]] = []  # mean, and of how many
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    starts = [mean for mean, count in blocks for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]
