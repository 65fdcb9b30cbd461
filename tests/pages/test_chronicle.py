"""The timeline of an incident mixes what happened to its modules with what people said and were told."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from monitor.core.board import Version
from monitor.core.incident import Act, Member, Stage, Update
from monitor.core.module import Status
from monitor.core.outbox import Letter, State
from monitor.core.outcome import Course, Happening
from tests.pages import pictures
from tests.pages.test_office import ABOUT, office, watch


def test_everything_around_an_incident_stands_in_one_timeline() -> None:
    """Moves, a new version, planned work, an act, notices with their fate and their reason; the newest first."""
    seen = watch(pictures.working())
    slow = next(one for one in seen.incidents if one.is_open)
    begun = slow.started_at
    other = Member("payments", "affected", Status.DOWN, begun, seen=True)
    mine = Act(begun + timedelta(minutes=9), "acknowledged", "Ana")
    incident = replace(slow, members=(*slow.members, other), acts=(mine,))
    version = Version("search-v2", begun - timedelta(minutes=5), "search-v1")
    probe = seen.board.platform.modules["search"].probes[0]
    seen = replace(seen, board=replace(seen.board, versions={probe.key: version}))
    withheld = ("payments", "explained_by:search")
    course = Course(
        (
            Happening(incident.id, 1, "opened", begun + timedelta(minutes=1)),
            Happening(incident.id, 2, "member_added", begun + timedelta(minutes=2), (withheld,)),
            Happening(incident.id, 3, "eased", begun + timedelta(minutes=3)),
        ),
        (Letter(incident.id, 1, "pager", "opened", "first", begun, True, True, State.DELIVERED),),
    )
    page = (office(seen).page("incident", "en", {**ABOUT, "incident": incident, "course": course}) or b"").decode()
    timeline = page.split('id="timeline"')[1].split("</section>")[0]
    entries = re.findall(r'<li class="(\w+)"><strong>(.*?)</strong>.*?</li>', timeline, re.DOTALL)
    kinds = [kind for kind, _ in entries]
    assert {"said", "act", "moved", "version", "planned", "told"} <= set(kinds)
    assert [what for kind, what in entries if kind == "told"] == ["Notice: Module joined", "Notice: Opened"]
    assert "pager: Delivered" in timeline
    assert "Withheld: explained_by:search" in timeline
    assert "search-v1 → search-v2" in unescape(timeline)
    assert kinds.index("act") < kinds.index("told") < kinds.index("version")


def test_of_one_moment_what_came_last_stands_first() -> None:
    """The last module answers again, and with that it is over: the end is on top, as on the public page."""
    seen = watch(pictures.working())
    slow = next(one for one in seen.incidents if one.is_open)
    at = slow.started_at + timedelta(minutes=20)
    cleared = Update(at, Stage.MONITORING, "member_cleared", {"module": "search"})
    over = Update(at, Stage.RESOLVED, "resolved", {"module": "search"})
    incident = replace(slow, updates=(*slow.updates, cleared, over), resolved_at=at)
    page = (office(seen).page("incident", "en", {**ABOUT, "incident": incident, "course": None}) or b"").decode()
    timeline = page.split('id="timeline"')[1].split("</section>")[0]
    assert re.findall(r'<li class="said"><strong>(.*?)</strong>', timeline)[:2] == ["Resolved", "Monitoring"]
