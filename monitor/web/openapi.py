"""OpenAPI: the description of everything that programs may ask of the operators' side.

`OPERATIONS` has a line for each request. To describe another one, add its line, and what is new of its objects to
`schemas.py`; a test holds the lines against the routes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from monitor import __version__
from monitor.core.agenda import WorkAct
from monitor.core.maintenance import WorkStage
from monitor.core.module import Platform
from monitor.core.plotted import USUAL
from monitor.core.series import WINDOWS
from monitor.core.silence import STATUSES
from monitor.web.counter import API, LONGEST_KEY, Counter
from monitor.web.incidents import KINDS
from monitor.web.outbox import ACTS, MOST, STATES, posted
from monitor.web.plotted import plotted
from monitor.web.schemas import Schema, answers, one_of, people, planned, planning, ref
from monitor.web.silence_schemas import silencing

JSON, PLAIN = "application/json", "text/plain"
LINES, STREAM = "application/x-ndjson", "text/event-stream"
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

REASONS = {
    200: "As asked",
    201: "It is new, and on disk",
    202: "It was asked",
    204: "It is on disk",
    400: "It can never be followed; the reason says why",
    401: "The token is missing or wrong",
    403: "As a viewer, from another machine where nobody is named, from another site, or without the X-CSRF-Token",
    404: "There is no such thing",
    409: "It does not fit what is so now",
    413: "It is longer than 64 KiB",
    415: "It is no JSON",
    500: "It could not be made; the log says why",
    503: "Not now: ask again",
}
PARAMETERS: dict[str, Schema] = {
    "id": {"description": "An id, or the beginning of one that only one of the newest has."},
    "number": {
        "description": "Of an update, counted from 1 for the oldest.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A request: what it does, what it answers, and what is sent with it.

    `gives` are schemas by status, `takes` the name of what is sent, `fails` the statuses that come as `{"error": …}`,
    `tells` those that come as a line of text. `free`: no token is needed. `query` are schemas by name.
    """

    summary: str
    gives: Mapping[int, str] | None = None
    takes: str | None = None
    fails: Sequence[int] = ()
    tells: Sequence[int] = ()
    kind: str = JSON
    query: Mapping[str, Schema] | None = None
    free: bool = False
    named: bool = False


READ = (401, 403)
WRITE = (400, 403, 409, 413, 415, 503)


def _says(summary: str, takes: str, *statuses: int, new: bool = False) -> Operation:
    """Something that a person says of an incident."""
    gives = {status: "incident" for status in ((200, 201) if new else (200,))}
    return Operation(summary, gives, takes, (*WRITE, *statuses), READ, named=True)


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("get", f"{API}/openapi.json"): Operation("This description", {200: "anything"}, free=True),
    ("get", f"{API}/status"): Operation("Every module, probe and place as it is now", {200: "status"}, tells=READ),
    ("get", f"{API}/observations"): Operation(
        "What is seen from now on, one observation a line", {200: "observation"}, tells=READ, kind=LINES
    ),
    ("post", f"{API}/modules/{{id}}/probe"): Operation(
        "Run a module's probes once more", {202: "asked"}, "nothing", (400, 403, 404, 409, 413, 415), READ
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
    ("get", f"{API}/incidents"): Operation(
        "The newest 200 incidents, drafts included, and any older one that goes on",
        {200: "incidents"},
        fails=(400,),
        tells=READ,
        query={"status": one_of(KINDS)},
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
    ("get", f"{API}/maintenance"): Operation(
        "Planned work, and the windows that people made",
        {200: "works"},
        fails=(400,),
        tells=READ,
        query={"status": one_of(list(WorkStage))},
    ),
    ("post", f"{API}/maintenance"): Operation(
        "Plan work, once or to be repeated",
        {200: "work_or_window", 201: "work_or_window"},
        "plan",
        (*WRITE, 404),
        READ,
        named=True,
    ),
    ("get", WORK): Operation("One piece of work, or one window", {200: "work_or_window"}, fails=(404, 409), tells=READ),
    **{
        ("post", f"{WORK}/{act.value}"): Operation(
            DOES[act],
            {200: "work_or_window"},
            "extension" if act is WorkAct.EXTEND else "work_act",
            (*WRITE, 404),
            READ,
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
    ),
    ("post", f"{API}/silences"): Operation(
        "Want no notices for a while", {200: "silence", 201: "silence"}, "hush", (*WRITE, 404), READ, named=True
    ),
    ("get", SILENCE): Operation("One silence", {200: "silence"}, fails=(404, 409), tells=READ),
    ("delete", SILENCE): Operation(
        "Lift it; what is over stays as it was", {200: "silence"}, "author", (*WRITE, 404), READ
    ),
    ("get", f"{API}/outbox"): Operation(
        "Every channel and how it fares, and the newest notices",
        {200: "outbox"},
        fails=(400, 503),
        tells=READ,
        query={
            "channel": {"type": "string"},
            "state": one_of(STATES),
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST},
            "offset": {"type": "integer", "minimum": 0, "maximum": 10**8},
        },
    ),
    **{
        ("post", f"{API}/outbox/{{event_id}}/{{channel}}/{act}"): Operation(
            does, {200: "letter_acted"}, "nothing", (*WRITE, 404), READ
        )
        for act, does in ACTS.items()
    },
    ("post", f"{API}/channels/{{id}}/test"): Operation(
        "Send a test notice, and say whether it arrived", {200: "tested"}, "nothing", (*WRITE, 404), READ
    ),
    ("get", "/events"): Operation(
        "What changes on the board, as server-sent events named `board`",
        {200: "board"},
        tells=(*READ, 503),
        kind=STREAM,
    ),
    ("post", "/-/reload"): Operation(
        "Put the configuration file in force", {200: "line"}, tells=(400, *READ), kind=PLAIN
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
    ("get", "/-/healthy"): Operation("The process answers", {200: "line"}, kind=PLAIN, free=True),
    ("get", "/-/ready"): Operation(
        "The first page is out, facts are stored", {200: "line"}, tells=(503,), kind=PLAIN, free=True
    ),
}


def openapi_route(counter: Counter) -> web.RouteDef:
    """The description of what is in force: languages and the need of a token are those of this monitor."""

    async def described(request: web.Request) -> web.Response:
        return web.json_response(document(counter.board().platform, locked=not counter.roster().is_empty))

    return web.get(f"{API}/openapi.json", described)


def document(platform: Platform, *, locked: bool) -> dict[str, Any]:
    """The whole description, OpenAPI 3.1, for what is configured. `locked`: somebody is named."""
    languages = platform.languages or ("en",)
    spoken = people(languages, list(platform.modules), list(platform.components))
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = _described(path, method, operation, locked)
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
                **posted(),
                **spoken,
                **planning(languages),
                **silencing(),
                "line": {"type": "string"},
                "anything": {"type": "object"},
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`monitor.ops_token`, or of `tokens`",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "monitor_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                "heartbeat": {"type": "http", "scheme": "bearer", "description": "`secret` of the probe"},
            },
        },
    }


def _described(path: str, method: str, operation: Operation, locked: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _name(path, method),
        "parameters": [*_parameters(path), *_queries(operation)],
        "responses": dict(sorted(_responses(operation))),
        "security": _security(path, method, operation, locked),
    }
    if operation.takes is not None:
        content = {JSON: {"schema": ref(operation.takes)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _name(path: str, method: str) -> str:
    words = [
        part.strip("{}")
        for part in path.replace("openapi.json", "openapi").split("/")
        if part not in ("", "api", "ops", "v1", "-")
    ]
    return "_".join([method, *words])


def _parameters(path: str) -> list[Schema]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    plain: Schema = {"schema": {"type": "string", "minLength": 1}}
    return [{"name": name, "in": "path", "required": True, **plain, **PARAMETERS.get(name, {})} for name in names]


def _queries(operation: Operation) -> list[Schema]:
    found: list[Schema] = [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in (operation.query or {}).items()
    ]
    if operation.named:
        told = "Names this request: sent again with the same key it is followed once."
        key = {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "description": told, "schema": key})
    return found


def _responses(operation: Operation) -> list[tuple[str, Schema]]:
    content: dict[int, dict[str, Any]] = {}
    for status, name in (operation.gives or {}).items():
        schema = {"type": "string"} if operation.kind in (PLAIN, STREAM) else ref(name)
        content[status] = {operation.kind: {"schema": schema}} if name else {}
        if name == "board":
            content[status][STREAM]["schema"] |= {"description": "`event: board`, its `data` as the schema `board`."}
        if operation.summary == "Metrics":
            content[status]["application/openmetrics-text"] = {"schema": schema}
    for status in operation.fails:
        content.setdefault(status, {})[JSON] = {"schema": ref("error")}
    for status in operation.tells:
        content.setdefault(status, {})[PLAIN] = {"schema": {"type": "string"}}
    return [
        (str(status), {"description": REASONS[status]} | ({"content": one} if one else {}))
        for status, one in content.items()
    ]


def _security(path: str, method: str, operation: Operation, locked: bool) -> list[dict[str, list[str]]]:
    if path.startswith("/heartbeat/"):
        return [{"heartbeat": []}, {}]
    if operation.free or not locked:
        return []
    return [{"token": []}, {"session": []} if method == "get" else {"session": [], "csrf": []}]
