"""Plotted: the objects of series and availability as JSON Schema, for the description of the API.

Every column is as long as `times`; null is a bin without a run, or, of latency, without an answered one.
"""

from monitor.core.budget import BURNS
from monitor.core.objective import KINDS
from monitor.core.observation import PHASES
from monitor.core.series import WINDOWS
from monitor.web.schemas import COUNT, ID, SECONDS, SHARE, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref

_MS = listed(maybe(SECONDS))
_COUNTS = listed(maybe(COUNT))


def plotted() -> dict[str, Schema]:
    """What is answered, by name."""
    about = {
        "module": ID,
        "window": one_of(list(WINDOWS)),
        "since": TIME,
        "until": TIME,
        "step_seconds": COUNT,
        "times": listed(TIME),
    }
    figures = {f"p{share}_ms": _MS for share in (50, 95, 99)} | dict.fromkeys(("runs", "failed", "slow"), _COUNTS)
    happening = {
        "kind": one_of(["incident", "maintenance", "version"]),
        "id": maybe(ID),
        "since": TIME,
        "until": maybe(TIME),
        "title": ref("texts"),
    }
    spent = {f"{name}_seconds": COUNT for name in ("down", "degraded", "excluded")}
    number: Schema = {"type": "number"}
    budget = {
        "days": COUNT,
        "allowed_seconds": COUNT,
        "spent_seconds": COUNT,
        "left_seconds": {"type": "integer"},
        "left_ratio": maybe(number),
        "burn": answered({name: maybe(SECONDS) for name in BURNS}),
        "exhausted_at": maybe(TIME),
    }
    objective = {"kind": one_of(KINDS), "id": ID, "objective": SHARE, "budget": ref("budget")}
    lengths = ("down", "degraded", "excluded", "up", "unknown", "known", "lost")
    figure = {
        "kind": one_of(["platform", "group", "component", "module"]),
        "id": ID,
        "ratio": maybe(SHARE),
        "coverage": SHARE,
        **{f"{name}_seconds": COUNT for name in lengths},
    }
    return {
        "budget": answered(budget),
        "objectives": answered({"objectives": listed(answered(objective))}),
        "figures": answered({"since": TIME, "until": TIME, "figures": listed(answered(figure))}),
        "series": answered(
            {
                **about,
                "probe": maybe(TEXT),
                "location": maybe(TEXT),
                "counted_from": one_of(["observations", "hours"]),
                **figures,
                "phases_ms": answered(dict.fromkeys(PHASES, _MS)),
                "locations": listed(answered({"id": ID, **figures})),
                "happenings": listed(answered(happening)),
            }
        ),
        "availability": answered(
            {
                **about,
                "ratio": listed(maybe(SHARE)),
                "coverage": listed(SHARE),
                **{name: listed(schema) for name, schema in spent.items()},
                "whole": answered({"ratio": maybe(SHARE), "coverage": SHARE, **spent}),
                "objective": maybe(SHARE),
                "budget": maybe(ref("budget")),
            }
        ),
    }
