"""A publication made from what changed is, byte for byte, the one that is made from everything."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.board import Board, Condition, Vantage, Version
from monitor.core.effect import Gap
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Stage, Update
from monitor.core.module import Component, Group, Platform, Status
from monitor.core.track import Track, outdated
from monitor.pages import beat, picture, render
from monitor.pages.beat import beat_of, soon_of, told_at
from monitor.pages.cells import Cells, cell
from monitor.pages.cells import given as given_by
from monitor.pages.found import Content, Stored
from monitor.pages.picture import Picture
from monitor.pages.site import is_of_one, site_files
from monitor.pages.slice import Slice
from monitor.pages.translate import Speech
from tests.depth import examples
from tests.pages import pictures
from tests.pages.conftest import THEME

SPEECH = Speech.load(("pt-BR", "en"), THEME)
WATCHED = ("promotions", "checkout", "subscriptions", "search", "catalog", "io")


def shop() -> Picture:
    """Six modules of the shop in five components, with their past."""
    seen = pictures.troubled()
    every = seen.board.platform.modules
    modules = {
        id: replace(every[id], depends_on=tuple(one for one in every[id].depends_on if one.module in WATCHED))
        for id in WATCHED
    }
    parts = [
        Component("cart", {"en": "Cart"}, ("checkout", "promotions")),
        Component("prices", {"en": "Prices"}, ("promotions",)),
        Component("finding", {"en": "Finding"}, ("search", "catalog")),
        Component("again", {"en": "Again"}, ("subscriptions", "checkout")),
        Component("apps", {"en": "Apps"}, ("io",)),
    ]
    groups = (Group("buying", {"en": "Buying"}, tuple(parts[:3])), Group("rest", {"en": "Rest"}, tuple(parts[3:])))
    board = Board(
        Platform(modules, groups, seen.board.platform.locations),
        tracks={key: track for key, track in seen.board.tracks.items() if key[0] in WATCHED},
        modules={id: one for id, one in seen.board.modules.items() if id in WATCHED},
        incidents=seen.board.incidents,
    )
    history = replace(
        seen.history,
        transitions={id: moves for id, moves in seen.history.transitions.items() if id in WATCHED},
        latency={id: one for id, one in seen.history.latency.items() if id in WATCHED},
    )
    return replace(seen, board=board, history=history)


def moves(seen: Picture, random: Random) -> Picture:
    """A module changes its status, now or since a while."""
    id, status = random.choice(WATCHED), random.choice(list(Status))
    since = seen.now - timedelta(seconds=random.choice([0, 40, 4000]))
    before = seen.board.status(id)
    move = replace(pictures.went(id, (since, status))[0], before=before, at=seen.now)
    transitions = {**seen.history.transitions, id: (*seen.history.transitions.get(id, ()), move)}
    board = replace(seen.board, modules={**seen.board.modules, id: Condition(status, since)})
    return replace(seen, board=board, history=replace(seen.history, transitions=transitions))


def opens(seen: Picture, random: Random) -> Picture:
    """An incident begins."""
    root, *others = random.sample(WATCHED, 3)
    one = pictures.incident(root, seen.now, impact=random.choice(["minor", "major", "critical"]), affected=others)
    return replace(seen, board=replace(seen.board, incidents={**seen.board.incidents, one.id: one}))


def tells(seen: Picture, random: Random) -> Picture:
    """An incident gets an update, or is over and only remembered by the store."""
    going_on = [one for one in seen.board.incidents.values() if one.is_open]
    if not going_on:
        return seen
    one, rest = random.choice(going_on), dict(seen.board.incidents)
    if random.random() < 0.5:
        told = Update(seen.now, Stage.MONITORING, "note", author="person", body={"en": "We <b>look</b> after it."})
        rest[one.id] = replace(one, stage=told.stage, updates=(*one.updates, told))
        return replace(seen, board=replace(seen.board, incidents=rest))
    members = tuple(replace(member, until=seen.now) for member in one.members)
    update = Update(seen.now, Stage.RESOLVED, "resolved")
    over = replace(one, stage=Stage.RESOLVED, resolved_at=seen.now, members=members, updates=(*one.updates, update))
    del rest[one.id]
    history = replace(seen.history, incidents=(over, *(old for old in seen.history.incidents if old.id != one.id)))
    return replace(seen, board=replace(seen.board, incidents=rest), history=history)


def forgets(seen: Picture, random: Random) -> Picture:
    """The oldest incident is one too many for what is read of the past."""
    return replace(seen, history=replace(seen.history, incidents=seen.history.incidents[:-1]))


def answers(seen: Picture, random: Random) -> Picture:
    """A place sees something else, and the latency moves."""
    key = random.choice(sorted(seen.board.tracks))
    result = random.choice([Result(Outcome.PASSED), Result(Outcome.UNKNOWN), Result(Outcome.PASSED, edge_only=True)])
    tracks = {**seen.board.tracks, key: Track(last=result, last_at=seen.now)}
    latency = dict(seen.history.latency)
    latency[key[0]] = replace(latency[key[0]], p95_ms=random.choice([90.0, 120.5, None]))
    return replace(seen, board=replace(seen.board, tracks=tracks), history=replace(seen.history, latency=latency))


def releases(seen: Picture, random: Random) -> Picture:
    """Another version answers for a module."""
    (probe,) = seen.board.platform.modules[random.choice(WATCHED)].probes
    before = seen.board.versions.get(probe.key)
    version = Version(f"v{random.randrange(9)}", seen.now, before.name if before else None)
    return replace(seen, board=replace(seen.board, versions={**seen.board.versions, probe.key: version}))


def blinks(seen: Picture, random: Random) -> Picture:
    """The monitor loses its sight or gets it back."""
    if seen.board.vantages:
        gaps = tuple(replace(gap, until=gap.until or seen.now) for gap in seen.history.gaps)
        return replace(seen, board=replace(seen.board, vantages={}), history=replace(seen.history, gaps=gaps))
    dark = {place: Vantage(dark_since=seen.now) for place in pictures.LOCATIONS[: random.choice([1, 3])]}
    gaps = (*seen.history.gaps, *(Gap(place, seen.now) for place in dark))
    return replace(seen, board=replace(seen.board, vantages=dark), history=replace(seen.history, gaps=gaps))


def loses(seen: Picture, random: Random) -> Picture:
    """Nothing is heard of a place any more."""
    place = random.choice(pictures.LOCATIONS)
    gone = {key: outdated(track) for key, track in seen.board.tracks.items() if key[2] == place}
    board = replace(seen.board.with_tracks(gone), vantages={place: Vantage(stale_since=seen.now)})
    return replace(seen, board=board)


def passes(length: timedelta) -> Callable[[Picture, Random], Picture]:
    """Time passes, and the data with it or not."""

    def passed(seen: Picture, random: Random) -> Picture:
        until = seen.data_until if random.random() < 0.3 or seen.data_until is None else seen.data_until + length
        return replace(seen, now=seen.now + length, data_until=until)

    return passed


LENGTHS = [
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=17),
    timedelta(hours=9),
    timedelta(days=1, hours=3),
    timedelta(days=40),
    timedelta(days=89),
]
CHANGES = [moves, opens, tells, forgets, answers, releases, blinks, loses, *map(passes, LENGTHS)]


days_of_change = given(st.lists(st.sampled_from(CHANGES), min_size=2, max_size=6), st.integers(0, 10**6))


def goes_on(changes: list[Callable[[Picture, Random], Picture]], seed: int) -> None:
    """After each change every byte is as if nothing had been remembered."""
    random, seen = Random(seed), shop()
    site_files(seen, SPEECH, THEME)
    for change in changes:
        before = seen.cells.found
        seen.cells.close()
        seen = replace(change(seen, random), before=before)
        made, whole = site_files(seen, SPEECH, THEME), site_files(replace(seen, before=None), SPEECH, THEME)
        assert made.keys() == whole.keys()
        assert [name for name in whole if made[name] != whole[name]] == []


@pytest.mark.timeout(240)
@settings(max_examples=examples(2), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@days_of_change
def test_what_waited_for_later_publications_is_the_same_in_the_end(
    changes: list[Callable[[Picture, Random], Picture]], seed: int
) -> None:
    """Each publication looks through seven files about single modules and components at most: all others are as they
    should be at once, and those once nothing waits."""
    random, seen = Random(seed), shop()
    site_files(seen, SPEECH, THEME)
    for change in [*changes, passes(timedelta(0))]:
        before = seen.cells.found
        seen.cells.close()
        seen, part = replace(change(seen, random), before=before), Slice(anew=7 if change in changes else None)
        made, whole = site_files(seen, SPEECH, THEME, part), site_files(replace(seen, before=None), SPEECH, THEME)
        differing = [name for name in whole if name not in made or made[name] != whole[name]]
        assert all(is_of_one(name) for name in differing) if part.behind else differing == []


@pytest.mark.timeout(240)
@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@days_of_change
def test_after_any_changes_it_is_the_same_site(changes: list[Callable[[Picture, Random], Picture]], seed: int) -> None:
    """Statuses, incidents, places, latency, blindness and time itself."""
    goes_on(changes, seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@days_of_change
def test_after_many_more_it_still_is(changes: list[Callable[[Picture, Random], Picture]], seed: int) -> None:
    """The same for longer, against what one day happens not to show."""
    goes_on(changes, seed)


def test_what_did_not_change_is_the_very_same_object() -> None:
    """A quarter of a minute later, every page of what is well."""
    first = shop()
    one = site_files(first, SPEECH, THEME)
    later = passes(timedelta(seconds=15))(first, Random(1))
    two = site_files(replace(later, before=first.cells.found), SPEECH, THEME)
    kept = {name for name in two if two[name] is one[name]}
    for name in ("modules/io/index.html", "components/apps/index.html", "history/index.html", "404.html"):
        assert {name, name if name == "404.html" else f"en/{name}"} <= kept
    assert {"api/v1/modules/io.json", "api/v1/incidents.json"} <= kept


def after(seen: Picture, made: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, **changed: object) -> Picture:
    """The next publication; `made` gets the name of everything that is worked out for it, with what it is about."""
    site_files(seen, SPEECH, THEME)
    later = replace(seen, before=seen.cells.found, **changed)  # type: ignore[arg-type]
    work_out = Cells._work_out

    def told(cells: Cells, key: tuple[Any, ...], *rest: Any) -> Any:
        made.append((key[0].__qualname__, *map(str, key[2:])))
        return work_out(cells, key, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Cells, "_work_out", told)
        site_files(later, SPEECH, THEME)
    return later


def test_an_incident_concerns_those_it_strikes_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand others are not even looked through."""
    seen, made = shop(), list[tuple[str, ...]]()
    one = replace(pictures.incident("io", seen.now), components=("apps",))
    board = replace(seen.board, incidents={**seen.board.incidents, one.id: one})
    after(seen, made, monkeypatch, board=board)
    for what in ("Facts.incidents_of_module", "Facts.struck_by", "Facts.module", "Own.module_file"):
        assert [which for name, *which in made if name == what] == [["io"]]
    assert [which for name, *which in made if name == "Facts.incidents_of_component"] == [["apps"]]
    assert {which[1] for name, *which in made if name == "Printer.page" and which[0] == "module"} == {"modules/io/"}


def test_runs_that_are_no_news_move_dates_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What more than runs has to happen for is not looked at."""
    seen, made = shop(), list[tuple[str, ...]]()
    tracks = {key: replace(track, last_at=seen.now) for key, track in seen.board.tracks.items()}
    moved = {
        "board": replace(seen.board, tracks=tracks),
        "data_until": seen.now,
        "now": seen.now + timedelta(seconds=1),
    }
    after(seen, made, monkeypatch, **moved)
    assert made
    names = {name for name, *_ in made}
    assert not names & {"Facts._known", "Facts.failing", "Facts.planned", "Picture.overall", "Picture.last_known"}
    assert not names & {"Statuspage.files", "Writer.history_atom", "Facts.incident", "Printer.paths", "_ranked"}


def test_figures_are_told_once_a_minute_and_of_what_fails_to_the_second() -> None:
    """So that what is up is not told anew in every publication."""
    seen = pictures.flawless()
    young = {id: (replace(moves[0], at=seen.now, since=seen.now),) for id, moves in seen.history.transitions.items()}
    began = replace(seen, history=replace(seen.history, transitions=young))

    def told(after: int, module: str = "search", **changes: Any) -> tuple[float, float]:
        """How much of 24 hours is known and lost, so many seconds after everything began."""
        later = replace(began, now=seen.now + timedelta(seconds=after), before=None, **changes)
        figure = later.uptimes_of(module)["24h"]
        return figure.known_seconds, figure.lost_seconds

    known = [told(after)[0] for after in range(300)]
    assert known[1] == 1
    assert all(after - 60 < one <= after for after, one in enumerate(known))
    assert len(set(known[60:])) in (4, 5)
    started = seen.now + timedelta(seconds=130)
    down = replace(young["search"][0], at=started, since=started, after=Status.DOWN)
    failing = replace(began.history, transitions={**young, "search": (*young["search"], down)})
    assert [told(after, history=failing) for after in (131, 145, 190)] == [(131, 1), (145, 15), (190, 60)]
    assert told(145, "checkout", history=failing) == told(145, "checkout")


def crowded(patch: pytest.MonkeyPatch) -> None:
    """From now on six modules are very many, and more than two that fail are a crowd."""
    patch.setattr(beat, "TURN", 2)
    patch.setattr(picture, "TURN", 2)
    patch.setattr(beat, "SOON", 3)


def test_while_very_many_fail_each_is_told_at_once_and_then_at_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a publication is not all pages of all that fails."""
    crowded(monkeypatch)
    seen, every = pictures.flawless(), soon_of(len(WATCHED))
    assert every == timedelta(minutes=2)
    seen = replace(seen, board=replace(shop().board, incidents={}))
    struck = Condition(Status.DOWN, seen.now)
    down = {id: pictures.went(id, (seen.now - timedelta(days=3), Status.UP), (seen.now, Status.DOWN)) for id in WATCHED}
    board = replace(seen.board, modules=dict.fromkeys(WATCHED, struck))
    failing = replace(seen, board=board, history=replace(seen.history, transitions=down))
    for id in WATCHED:
        lost = []
        for after in range(0, 360, 5):
            later = replace(failing, now=seen.now + timedelta(seconds=after), before=None)
            lost.append(later.uptimes_of(id)["24h"].lost_seconds)
            told = max(seen.now, told_at(id, every, later.now))
            assert lost[-1] == (told - seen.now).total_seconds()
            assert later.days_of(id)[-1].down_seconds == lost[-1]
        assert len(set(lost)) == 4


@pytest.mark.timeout(240)
def test_of_very_many_it_is_the_same_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """While they fail, and once they no longer do."""
    crowded(monkeypatch)
    soon, later = passes(LENGTHS[0]), passes(LENGTHS[2])
    goes_on([moves, moves, soon, moves, moves, soon, soon, later], 5)


@pytest.mark.parametrize("count", [40, 200, 1000, 10_000])
def test_few_have_their_turn_in_one_publication(count: int) -> None:
    """Each has one in every beat, and a quarter of a minute holds some fifty of them, however many there are."""
    ids, every = [f"module-{one}" for one in range(count)], beat_of(count)
    quarters = int(every / timedelta(seconds=15))
    turns = [
        [told_at(id, every, pictures.NOW + timedelta(seconds=15 * at)) for id in ids] for at in range(quarters + 1)
    ]
    now = [sum(one != other for one, other in zip(*pair, strict=True)) for pair in pairwise(turns)]
    assert sum(now) == count
    assert max(now) <= 80


def test_the_figures_of_a_report_stay_when_a_link_beside_them_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest incident loses its page; the report names it without a link from then on."""
    seen, made = shop(), list[tuple[str, ...]]()
    assert seen.reports
    after(seen, made, monkeypatch, history=replace(seen.history, incidents=()))
    assert [which for name, *which in made if name == "Printer.page" and which[0] == "report"]
    assert "_measured" not in {name for name, *_ in made}


def test_what_is_kept_compressed_is_printed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large fragments are."""
    monkeypatch.setattr(render, "LARGE", 1)
    goes_on([forgets, moves], 3)


def test_a_file_of_parts_is_compared_by_them() -> None:
    """And what stands for it on the disk equals the same parts and no others."""
    body = Content(b"x" * 1000)
    file = Content.of(b"one", body)
    assert bytes(file) == b"one" + body
    assert file.stored == Content.of(b"one", body)
    assert file.stored != Content.of(b"two", body)
    assert Stored.of(b"one") == Content(b"one")
    assert Stored.of(b"one") != b"two"


# --- the mechanism


@dataclass
class Sums:
    """Two numbers, their sum, and whether that is large; `made` tells what was worked out."""

    left: int
    right: int
    cells: Cells
    made: list[str]
    name = "sums"

    def __post_init__(self) -> None:
        self.cells.belong_to(self)

    @given_by
    def number(self, which: str) -> int:
        """One of the numbers."""
        return {"left": self.left, "right": self.right}[which]

    @cell
    def total(self) -> int:
        """The sum."""
        self.made.append("total")
        return self.number("left") + self.number("right")

    @cell
    def large(self) -> bool:
        """Whether the sum is more than ten."""
        self.made.append("large")
        return self.total() > 10

    @cell
    def first(self) -> str:
        """Looks at the right number only where the left one is odd."""
        self.made.append("first")
        return str(self.number("right")) if self.number("left") % 2 else "even"


def sums(left: int, right: int, before: Sums | None = None) -> Sums:
    """The next publication."""
    return Sums(left, right, Cells(before.cells.found if before else None), [])


@pytest.mark.parametrize(
    ("left", "right", "made"),
    [
        pytest.param(1, 2, [], id="nothing changed"),
        pytest.param(2, 1, ["total"], id="another way to the same sum"),
        pytest.param(1, 3, ["total", "large"], id="another sum"),
    ],
)
def test_a_value_is_worked_out_again_when_what_it_looked_at_has_changed(left: int, right: int, made: list[str]) -> None:
    """And no further than the change reaches."""
    before = sums(1, 2)
    assert not before.large()
    after = sums(left, right, before)
    assert not after.large()
    assert after.made == made


def test_what_was_not_looked_at_does_not_matter() -> None:
    """Until it is."""
    before = sums(2, 5)
    assert before.first() == "even"
    same = sums(2, 6, before)
    assert (same.first(), same.made) == ("even", [])
    assert sums(3, 6, same).first() == "6"


def test_a_value_that_nobody_asked_for_is_forgotten() -> None:
    """So what is kept is never more than one publication."""
    before = sums(1, 2)
    before.large()
    before.cells.close()
    without = sums(1, 2, before)
    without.cells.close()
    again = sums(1, 2, without)
    assert (again.large(), again.made) == (False, ["large", "total"])


def test_an_error_leaves_nothing_behind() -> None:
    """The next one to ask gets the error as well."""
    broken = sums(1, 2)
    broken.left = None  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(TypeError):
            broken.large()
    broken.cells = Cells()
    broken.left = 4
    broken.cells.belong_to(broken)
    assert not broken.large()
