"""Signs: the lights of the dashboard: figures by which the monitor sees how it is itself, each with its limit."""

from dataclasses import dataclass

from monitor.core.selfcheck import Sign
from monitor.core.wording import N_
from monitor.pages.lens import Lens
from monitor.pages.view import Mark

SIGNS = {
    "loop_lag": N_("Event loop lag"),
    "loop_lost": N_("Share of time lost"),
    "schedule_behind": N_("Probes behind their time"),
    "events_waiting": N_("Events waiting"),
    "steps_unwritten": N_("Steps waiting for the store"),
    "store_write": N_("Last write to the store"),
    "publication": N_("Last publication"),
    "outbox": N_("Oldest notice that waits"),
    "heartbeats": N_("Last heartbeat of every place"),
}


@dataclass(frozen=True, slots=True)
class SignView:
    """A light: a figure about ourselves, where it should end, and the code of what is wrong when it does not."""

    mark: Mark
    name: str
    value: str
    limit: str
    code: str


def sign_view(lens: Lens, sign: Sign) -> SignView:
    """One light."""
    mark = lens.mark(("down", N_("Past its limit")) if sign.is_past else ("ok", N_("Within its limit")))
    value, limit = (_figure(lens, sign, figure) for figure in (sign.value, sign.limit))
    return SignView(mark, lens.word(SIGNS[sign.name]), value, limit, sign.code if sign.is_past else "")


def _figure(lens: Lens, sign: Sign, figure: float) -> str:
    speech, language = lens.speech, lens.language
    if sign.unit == "share":
        return speech.percent(language, figure, 0)
    if sign.unit == "count":
        return speech.number(language, figure)
    return f"{speech.decimal(language, figure, 2 if 0.005 <= figure < 1 else 0)}\u00a0s"
