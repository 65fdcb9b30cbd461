"""The first line of a notice: which module, since when, and the cause as far as it is known."""

from dataclasses import replace

import pytest

from monitor.core.headline import headline
from monitor.core.incident import Candidate, Incident, Stage, Update, with_update
from monitor.core.module import Status
from tests.store.past import after, incident
from tests.stories.beats import module, platform

SHOP = platform(module("checkout"), module("logistics"), module("catalog"))
OPEN = replace(incident("checkout"), cause=replace(incident("checkout").cause, shared=None))
(ROOT,) = OPEN.members
BEHIND = replace(
    OPEN,
    cause=replace(OPEN.cause, module="logistics", confidence=0.86),
    members=(replace(ROOT, role="affected"), replace(ROOT, module="logistics")),
)


def line(event: str, one: Incident) -> str:
    """In plain English, without a catalogue."""
    said = headline(event, one, SHOP, {"en": "12:03"}, {"en": "2 min"}, {"en": "12:05"})

    def text(place: object) -> str:
        if isinstance(place, str):
            return place
        if isinstance(place, tuple):
            return ", ".join(map(text, place))
        if hasattr(place, "message"):
            filled = place.message
            for name, each in place.places.items():
                filled = filled.replace("{" + name + "}", text(each))
            return str(filled)
        return str(place["en"])  # type: ignore[index]

    return text(said)


OVERLOAD = "overload or service switched off (status 503)"


@pytest.mark.parametrize(
    ("event", "one", "said"),
    [
        ("opened", BEHIND, f"[URGENT] Checkout down since 12:03 (2 min): cause likely Logistics – {OVERLOAD}"),
        ("opened", replace(OPEN, cause=replace(OPEN.cause, state="confirmed")),
         f"[URGENT] Checkout down since 12:03 (2 min): {OVERLOAD}"),
        ("opened", replace(OPEN, members=(replace(ROOT, status=Status.DEGRADED),)),
         f"[URGENT] Checkout in trouble since 12:03 (2 min): {OVERLOAD}"),
        ("reminder", BEHIND, "[URGENT] Checkout still down since 12:03 (2 min, nobody has it yet): "
         f"cause likely Logistics – {OVERLOAD}"),
        ("reopened", replace(OPEN, reopened=2, acknowledged_at=OPEN.started_at),
         f"[URGENT] Checkout in trouble again; it began at 12:03 (2 min, relapses: 2): {OVERLOAD}"),
        ("resolved", replace(OPEN, resolved_at=after(120)),
         f"[RESOLVED] Checkout works again after 2 min: {OVERLOAD}"),
        ("resolved",
         with_update(replace(OPEN, resolved_at=after(120)), Update(after(120), Stage.RESOLVED, "unmonitored")),
         f"[RESOLVED] Checkout is no longer monitored, after 2 min: {OVERLOAD}"),
        ("resolved", replace(OPEN, resolved_at=after(120), merged_into="abc"),
         f"[JOINED] Checkout is part of another incident now, which goes on: {OVERLOAD}"),
        ("summary", replace(OPEN, resolved_at=after(120)),
         f"[WAS DOWN] Checkout from 12:03 to 12:05 (2 min): {OVERLOAD}"),
        ("opened", replace(OPEN, cause=replace(OPEN.cause, module=None, candidates=(
            Candidate("checkout", 0.5), Candidate("catalog", 0.4)))),
         f"[URGENT] Checkout down since 12:03 (2 min): cause probably one of Checkout, Catalog – {OVERLOAD}"),
        ("opened", replace(BEHIND, cause=replace(BEHIND.cause, confidence=0.97)),
         f"[URGENT] Checkout down since 12:03 (2 min): cause Logistics – {OVERLOAD}"),
        ("opened", replace(OPEN, cause=replace(OPEN.cause, scope="shared", module=None, shared={
            "kind": "edge", "value": "cloudflare", "modules": ["checkout"]})),
         "[URGENT] Checkout down since 12:03 (2 min): several modules at once, which share "
         f"the network edge in front of them (cloudflare) – {OVERLOAD}"),
    ],
)  # fmt: skip
def test_the_first_line_says_what_is_wrong(event: str, one: Incident, said: str) -> None:
    """Whoever is woken by it should not have to open anything."""
    assert line(event, one) == said
