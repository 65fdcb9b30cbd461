"""Places: how agents elsewhere are, a row for each, on the pages of operators."""

from dataclasses import dataclass

from monitor.core.presence import Attendance
from monitor.core.wording import N_
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.view import Mark

OFF = 1.0  # seconds by which a clock may be off before it is worth a word


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place with agents: whether it is heard of, its name, and what there is to know."""

    mark: Mark
    name: str
    facts: tuple[str, ...]


def place_view(lens: Lens, place: Attendance) -> PlaceView:
    """One row."""
    if place.stale:
        mark = lens.mark(("down", N_("Nothing is heard of it")))
    elif place.heard_at is None:
        mark = lens.mark(("none", N_("Not heard of yet")))
    elif place.outdated or place.trouble:
        mark = lens.mark(("slow", N_("Its configuration is not the newest")))
    else:
        mark = lens.mark(("ok", N_("Heard of")))
    facts = [] if place.heard_at is None else [lens.word(N_("last at {time}"), time=exact(lens, place.heard_at).text)]
    if place.agents > 1:
        parts = ", ".join(f"{agent}: {lens.number(probes)}" for agent, probes in place.parts.items())
        agents = lens.word(N_("agents: {count}"), count=lens.number(place.agents))
        facts.append(f"{agents} ({parts})")
    if place.waiting:
        facts.append(lens.word(N_("results that wait there: {count}"), count=lens.number(place.waiting)))
    if place.lost:
        facts.append(lens.word(N_("results lost for lack of room: {count}"), count=lens.number(place.lost)))
    if place.skew is not None and abs(place.skew) >= OFF:
        told = N_("its clock is {seconds} s ahead") if place.skew > 0 else N_("its clock is {seconds} s behind")
        facts.append(lens.word(told, seconds=lens.speech.decimal(lens.language, abs(place.skew), 1)))
    if refused := sum(place.refused.values()):
        facts.append(lens.word(N_("messages that were not believed: {count}"), count=lens.number(refused)))
    if place.trouble:
        facts.append(place.trouble)
    return PlaceView(mark, lens.place(place.location), tuple(facts))
