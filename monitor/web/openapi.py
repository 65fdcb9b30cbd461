"""OpenAPI: the description of everything that programs may ask of the operators' side.

`OPERATIONS` has a line for each request. To describe another one, add its line, and what is new of its objects to
`schemas.py`; a test holds the lines against the routes.
"""

from typing import Any

from aiohttp import web

from monitor import __version__
from monitor.core.agenda import WorkAct
from monitor.core.entry import ACTS
from monitor.core.maintenance import WorkStage
from monitor.core.module import Platform, Status
from monitor.core.objective import KINDS as KINDS_OF_OBJECTIVES
from monitor.core.plotted import USUAL
from monitor.core.search import KINDS
from monitor.core.series import WINDOWS
from monitor.core.silence import STATUSES
from monitor.web.answer_schemas import answers
from monitor.web.counter import API, Counter
from monitor.web.operation import COOKIE, HTML, LINES, PLAIN, SPAN, STREAM, Operation, described
from monitor.web.outbox import ACTS as SENDING
from monitor.web.outbox import STATES, posted
from monitor.web.people_schemas import people
from monitor.web.plotted import plotted
from monitor.web.schemas import one_of
from monitor.web.shapes import examples, kept
from monitor.web.silence_schemas import silencing
from monitor.web.subscribers import subscribing
from monitor.web.uptime import WINDOW
from monitor.web.work_schemas import planned, planning

ONE = f"{API}/incidents/{{id}}"
MODULE = f"{API}/modules/{{id}}"
PLOTTED = {
    "window": one_of(list(WINDOWS)) | {"default": USUAL},
    "probe": {"type": "string", "description": "One that is timed; absent: those that decide."},
    "location": {"type": "string", "description": "One of the probe's; absent: all of them."},
}
WORK = f"{API}/maintenance/{{id}}"
SILENCE = f"{API}/silences/{{id}}"
DOES = {
    WorkAct.BEGIN: "Begin work now that a person planned once, for as long as it was to take",
    WorkAct.CANCEL: "Withdraw planned work",
    WorkAct.EXTEND: "Move its end",
    WorkAct.VERIFY: "Say that it is done and being verified",
    WorkAct.COMPLETE: "Say that it is over",
}

READ = (401, 403)
WRITE = (400, 403, 408, 409, 413, 415, 503)


def _says(summary: str, takes: str, *statuses: int, new: bool = False) -> Operation:
    """Something that a person says of an incident."""
    gives = {status: "incident" for status in ((200, 201) if new else (200,))}
    return Operation(summary, gives, takes, (*WRITE, *statuses), READ, matched=bool(statuses))


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("get", f"{API}/openapi.json"): Operation("This description", {200: "anything"}, free=True),
    ("get", f"{API}/status"): Operation("Every module, probe and place as it is now", {200: "status"}, tells=READ),
    ("get", f"{API}/observations"): Operation(
        "What is seen from now on, one observation a line", {200: "observation"}, tells=READ, kind=LINES
    ),
    ("get", f"{MODULE}/series"): Operation(
        "Latency percentiles, phases, runs and failures of a module, bin by bin",
        {200: "series"},
        fails=(400, 404, 503),
        tells=READ,
        query=PLOTTED,
    ),
    ("get", f"{MODULE}/availability"): Operation(
        "Availability of a module, bin by bin, and its error budget",
        {200: "availability"},
        fails=(400, 404),
        tells=READ,
        query=PLOTTED,
    ),
    ("get", f"{API}/objectives"): Operation(
        "Every objective of plans, groups and modules, with its error budget",
        {200: "objectives"},
        fails=(400,),
        tells=READ,
        query={"kind": one_of(KINDS_OF_OBJECTIVES)},
    ),
    ("get", f"{API}/uptime"): Operation(
        "Uptime of the platform, groups, components and modules over any stretch of the past; the last 30 days",
        {200: "figures"},
        fails=(400, 503),
        tells=READ,
        query=WINDOW,
    ),
    ("get", f"{API}/modules"): Operation(
        "Every module as it is now",
        {200: "modules"},
        fails=(400,),
        tells=READ,
        query={"status": one_of(list(Status))},
        paged=True,
    ),
    ("get", f"{API}/modules/{{id}}"): Operation(
        "One module, with the newest runs of its probes", {200: "dossier"}, fails=(404,), tells=READ
    ),
    ("post", f"{API}/modules/{{id}}/probe"): Operation(
        "Run a module's probes once more", {202: "asked"}, "author", (400, 403, 404, 408, 409, 413, 415), READ
    ),
    ("get", f"{API}/audit"): Operation(
        "What people changed or tried to, the newest first",
        {200: "audit"},
        fails=(400, 503),
        tells=READ,
        query={
            "by": {"type": "string", "minLength": 1, "maxLength": 200},
            "act": one_of([*ACTS, *sorted({act.partition(".")[0] for act in ACTS})]),
            "subject": {"type": "string", "minLength": 1, "maxLength": 200},
            **SPAN,
        },
        paged=True,
    ),
    ("get", f"{API}/incidents"): Operation(
        "Incidents, drafts included, however old, the newest first",
        {200: "incidents"},
        fails=(400, 503),
        tells=READ,
        query={"status": one_of(KINDS), "module": {"type": "string", "minLength": 1, "maxLength": 200}, **SPAN},
        paged=True,
    ),
    ("post", f"{API}/incidents"): _says("Open an incident by hand", "open", new=True),
    ("get", ONE): Operation("One incident, however old", {200: "incident"}, fails=(404, 409, 503), tells=READ),
    ("patch", ONE): _says("Change title, summary or impact; null goes back to the monitor's own", "edit", 404),
    ("post", f"{ONE}/updates"): _says("Write an update", "update", 404, new=True),
    ("patch", f"{ONE}/updates/{{number}}"): _says("Correct the text of an update", "correct", 404),
    ("post", f"{ONE}/acknowledge"): _says("Say that somebody works on it", "author", 404),
    ("post", f"{ONE}/resolve"): _says("End it", "ending", 404),
    ("post", f"{ONE}/postmortem"): _says("Say what was learned", "learned", 404),
    ("post", f"{ONE}/publish"): _says("Make a draft public", "author", 404),
    ("post", f"{ONE}/reply"): _says("Tell that a ticket was answered, for the clocks of plans", "reply", 404),
    ("post", f"{ONE}/lower"): _says("Lower its priority, for a reason that readers are told", "lowering", 404),
    ("get", f"{API}/maintenance"): Operation(
        "Planned work, and the windows that people made",
        {200: "works"},
        fails=(400,),
        tells=READ,
        query={
            "status": one_of(list(WorkStage)),
            "module": {"type": "string", "minLength": 1, "maxLength": 200},
            **SPAN,
        },
        paged=True,
    ),
    ("post", f"{API}/maintenance"): Operation(
        "Plan work, once or to be repeated",
        {200: "work_or_window", 201: "work_or_window"},
        "plan",
        (*WRITE, 404),
        READ,
    ),
    ("get", WORK): Operation("One piece of work, or one window", {200: "work_or_window"}, fails=(404, 409), tells=READ),
    **{
        ("post", f"{WORK}/{act.value}"): Operation(
            DOES[act],
            {200: "work_or_window"},
            "extension" if act is WorkAct.EXTEND else "work_act",
            (*WRITE, 404),
            READ,
            matched=True,
        )
        for act in WorkAct
    },
    ("get", f"{API}/sessions"): Operation(
        "Browsers that are logged in: one's own, and all of them for an operator", {200: "sessions"}, tells=READ
    ),
    ("delete", f"{API}/sessions/{{id}}"): Operation("End a session", {204: ""}, fails=(403, 404), tells=READ),
    ("get", f"{API}/silences"): Operation(
        "Silences, the newest first: all that are not over, and those of the last 90 days",
        {200: "silences"},
        fails=(400,),
        tells=READ,
        query={"status": one_of(STATUSES)},
        paged=True,
    ),
    ("post", f"{API}/silences"): Operation(
        "Want no notices for a while", {200: "silence", 201: "silence"}, "hush", (*WRITE, 404), READ, named=True
    ),
    ("get", SILENCE): Operation("One silence", {200: "silence"}, fails=(404, 409), tells=READ),
    ("delete", SILENCE): Operation(
        "Lift it; what is over stays as it was", {200: "silence"}, "author", (*WRITE, 404), READ
    ),
    ("get", f"{API}/subscribers"): Operation(
        "How many subscribers there are, and each without its address", {200: "subscribers"}, fails=(503,), tells=READ
    ),
    ("post", f"{API}/subscribers/export"): Operation(
        "Everything that is kept of everybody, or of one address", {200: "exported"}, "whose", WRITE, READ
    ),
    ("post", f"{API}/subscribers/erase"): Operation(
        "Forget an address, or the subscription of an id", {200: "erased"}, "whom", (*WRITE, 404), READ
    ),
    ("get", "/subscribe"): Operation(
        "The form by which one asks to be told", {200: "line", 404: "line"}, kind=HTML, free=True
    ),
    ("post", "/subscribe"): Operation(
        "Ask to be told, by mail or by a call; also taken as a form",
        {202: "wished"},
        "wish",
        (400, 404, 413, 415, 429, 503),
        (400, 413, 415),
        free=True,
    ),
    ("get", f"{API}/outbox"): Operation(
        "Every channel and how it fares, and the newest notices",
        {200: "outbox"},
        fails=(400, 503),
        tells=READ,
        query={"channel": {"type": "string", "minLength": 1, "maxLength": 200}, "state": one_of(STATES)},
        paged=True,
    ),
    **{
        ("post", f"{API}/outbox/{{event_id}}/{{channel}}/{act}"): Operation(
            does, {200: "letter_acted"}, "author", (*WRITE, 404), READ
        )
        for act, does in SENDING.items()
    },
    ("post", f"{API}/channels/{{id}}/test"): Operation(
        "Send a test notice, and say whether it arrived", {200: "tested"}, "author", (*WRITE, 404), READ
    ),
    ("get", "/events"): Operation(
        "What changes on the board, as server-sent events named `board`",
        {200: "board"},
        tells=(*READ, 503),
        kind=STREAM,
    ),
    ("post", "/-/reload"): Operation(
        "Put the configuration file in force",
        {200: "line"},
        fails=(400, 422),
        tells=(400, *READ),
        kind=PLAIN,
        named=True,
    ),
    ("post", "/heartbeat/{module}/{probe}"): Operation(
        "A module calls, with the secret of its own probe", {204: ""}, tells=(401, 404, 503), kind=PLAIN
    ),
    ("get", "/metrics"): Operation(
        "Metrics",
        {200: "line"},
        tells=(400, 500),
        kind=PLAIN,
        query={"view": one_of(["", "judged", "locations"]), "module": {"type": "string"}},
        free=True,
    ),
    ("get", "/probe"): Operation(
        "Metrics of one target, as a Prometheus asks the blackbox exporter for them",
        {200: "line"},
        tells=(400, *READ, 500, 503),
        kind=PLAIN,
        query={
            **{name: {"type": "string"} for name in ("target", "module", "hostname", "location")},
            "debug": one_of(["", "true", "false"]),
        },
        free=True,
    ),
    ("get", "/-/healthy"): Operation("The process answers", {200: "line"}, kind=PLAIN, free=True),
    ("get", "/-/ready"): Operation(
        "The first page is out, facts are stored", {200: "line"}, tells=(503,), kind=PLAIN, free=True
    ),
    ("get", "/-/leader"): Operation(
        "This monitor leads, of those that share a store", {200: "line"}, tells=(503,), kind=PLAIN, free=True
    ),
}


def openapi_route(counter: Counter) -> web.RouteDef:
    """The description of what is in force: languages and the need of a token are those of this monitor."""

    async def asked(request: web.Request) -> web.Response:
        return web.json_response(document(counter.board().platform, locked=not counter.roster().is_empty))

    return web.get(f"{API}/openapi.json", asked)


def document(platform: Platform, *, locked: bool) -> dict[str, Any]:
    """The whole description, OpenAPI 3.1, for what is configured. `locked`: somebody is named."""
    languages = platform.languages or ("en",)
    spoken = people(languages, list(platform.modules), list(platform.components))
    shown = examples(languages[0], list(platform.modules))
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = described(path, method, operation, locked, shown)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vtex-monitor, the operators' side",
            "version": __version__,
            "description": "Times are RFC 3339 in UTC. A change is on disk when it is answered.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {
                **answers(),
                **planned(),
                **plotted(),
                **kept(),
                **posted(),
                **spoken,
                **planning(languages),
                **silencing(),
                **subscribing(),
                "line": {"type": "string"},
                "anything": {"type": "object"},
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`monitor.ops_token`, or of `tokens`",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "monitor_session", "description": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                "heartbeat": {"type": "http", "scheme": "bearer", "description": "`secret` of the probe"},
            },
        },
    }
