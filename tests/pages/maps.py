"""Pictures of platforms of any size, for whoever tests the map and the filters."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from random import Random

from monitor.config.file import load, shipped
from monitor.core.board import Board, Condition, Version
from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.history import History, Latency
from monitor.core.incident import Candidate, Cause, Incident, Member, Priority, Stage, Update, key_of
from monitor.core.module import Component, Dependency, Group, Module, Platform, Status
from monitor.core.probe import Probe
from monitor.core.track import Track
from monitor.pages.picture import Picture
from tests.pages.pictures import NOW, SITE, went

HERE = "here"


@cache
def shipped_platform() -> Platform:
    """What the file that comes along describes."""
    return load(shipped(), {}).platform


def platform_of(size: int) -> Platform:
    """So many modules that lean on earlier ones, in ten groups."""
    random, ids = Random(1), [f"module-{number:04}" for number in range(size)]
    modules = {}
    for number, id in enumerate(ids):
        needs = random.sample(ids[: max(1, number // 10)], k=min(3, number // 10))
        probe = Probe(id, "http", "http", timedelta(seconds=30), timedelta(seconds=10), (HERE,))
        name = {"en": f"Module {number}"}
        modules[id] = Module(id, name, depends_on=tuple(map(Dependency, needs)), probes=(probe,))
    groups = tuple(
        Group(f"g{one}", {"en": f"Group {one}"}, (Component(f"c{one}", {"en": f"C {one}"}, tuple(ids[one::10])),))
        for one in range(min(10, size))
    )
    return Platform(modules, groups)


def incident_of(root: str, affected: Sequence[str]) -> Incident:
    """An open incident with a named cause."""
    since = NOW - timedelta(minutes=12)
    at = since + timedelta(minutes=1)
    members = [Member(one, "affected", Status.DOWN, since) for one in affected]
    return Incident(
        key=key_of(root, since),
        started_at=since,
        detected_at=at,
        published_at=at,
        stage=Stage.IDENTIFIED,
        impact="major",
        priority=Priority.HIGH,
        cause=Cause("module", root, (Candidate(root, 0.93),), "http.503", "capacity_or_throttling", 0.93),
        members=(Member(root, "root", Status.DOWN, since), *members),
        components=(),
        updates=(Update(at, Stage.INVESTIGATING, "opened", {"module": root, "code": "http.503", "status": "down"}),),
    )


def picture_of(platform: Platform, root: str | None = None, affected: Sequence[str] = ()) -> Picture:
    """Everything answers but these; each module has a latency, a version, and a place that sees it."""
    random = Random(7)
    conditions, tracks, latency, versions = {}, {}, {}, {}
    hit = {} if root is None else dict.fromkeys((root, *affected), Status.DOWN)
    for id, module in platform.modules.items():
        if not platform.measured(id) and id not in hit:
            continue
        status = hit.get(id, Status.UP)
        conditions[id] = Condition(status, NOW - timedelta(minutes=12) if id in hit else NOW - timedelta(days=90))
        failed = Result(Outcome.FAILED, "http.503", Blame.TARGET)
        result = Result(Outcome.PASSED) if status is Status.UP else failed
        for key in (probe.key for probe in platform.deciding(id)):
            for place in platform.judged[key].locations:
                tracks[(*key, place)] = Track(last=result, last_at=NOW)
        for probe in module.probes:
            versions[probe.key] = Version(f"{id}-v2.1.{len(id)}", NOW - timedelta(hours=5), f"{id}-v2.1.0")
        level = random.uniform(30, 240)
        hours = [NOW.replace(minute=0, second=0) - timedelta(hours=back) for back in range(23, -1, -1)]
        points = tuple((at, level * random.uniform(0.8, 1.3)) for at in hours)
        latency[id] = Latency(level, level * 2.6, level * 5, points)
    moves = {id: went(id, (one.since, one.status)) for id, one in conditions.items()}
    open_one = {} if root is None else {one.id: one for one in [incident_of(root, affected)]}
    board = Board(platform, tracks=tracks, modules=conditions, incidents=open_one, versions=versions)
    return Picture(SITE, board, History(moves, (), latency), NOW, NOW - timedelta(seconds=8))


def struck() -> Picture:
    """The shipped platform, whose prices and promotions fail and take the purchase along."""
    return picture_of(shipped_platform(), "rates-and-benefits", ("session", "checkout", "checkout-ui", "portal"))
