"""Operation: a request to the operators' side, and how it is described: what it takes, what it answers, and with which
headers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.web.counter import API, LONGEST_KEY
from monitor.web.paging import MOST, USUAL
from monitor.web.schemas import Schema, ref

JSON, PLAIN = "application/json", "text/plain"
HTML = "text/html"
LINES, STREAM = "application/x-ndjson", "text/event-stream"

REASONS = {
    200: "As asked",
    201: "It is new, and on disk",
    202: "It was asked",
    204: "It is on disk",
    304: "It is as it was: you have it",
    400: "It can never be followed; the reason says why",
    401: "The token is missing or wrong",
    403: "As a viewer, from another machine where nobody is named, from another site, or without the X-CSRF-Token",
    404: "There is no such thing",
    409: "It does not fit what is so now",
    412: "Somebody else was faster: it is not in the state that If-Match names",
    408: "It did not arrive in time",
    413: "It is longer than 64 KiB",
    415: "It is no JSON",
    429: "Too many at once",
    422: "The Idempotency-Key named another request before",
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


COOKIE = "Of a login at `/healthcheck/login`; over https it is called `__Host-monitor_session`."
HEADERS: dict[str, Schema] = {
    "ETag": {"description": "The state that is shown: a strong tag.", "schema": {"type": "string"}},
    "Link": {"description": 'Where the next page is, `rel="next"` (RFC 8288).', "schema": {"type": "string"}},
    "Content-Location": {"description": "Where what is shown can be read.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "WWW-Authenticate": {"description": "What would be taken.", "schema": {"type": "string"}},
}
MOMENT: Schema = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
SPAN: dict[str, Schema] = {
    "since": {**MOMENT, "description": "What went on after this moment, or on this day and later."},
    "until": {**MOMENT, "description": "What began before this moment, or this day."},
}
PAGE: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    "cursor": {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]+$",
        "description": "Where a page goes on, from `next` of the page before.",
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A request: what it does, what it answers, and what is sent with it.

    `gives` are schemas by status, `takes` the name of what is sent, `fails` the statuses that come as `{"error": …}`,
    `tells` those that come as a line of text. `free`: no token is needed. `query` are schemas by name. `paged`: it is a
    list with pages. `named`: it takes an Idempotency-Key, as all do that take JSON. `matched`: it takes an If-Match.
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
    paged: bool = False
    matched: bool = False

    @property
    def keys(self) -> Mapping[str, Schema]:
        """What may stand in the query, by name; another key is answered 400 under `API`."""
        return {**(self.query or {}), **(PAGE if self.paged else {})}


def described(
    path: str, method: str, operation: Operation, locked: bool, shown: Mapping[str, Schema]
) -> dict[str, Any]:
    """The operation as OpenAPI has it. `locked`: a token is set; `shown` are examples of what is sent, by name."""
    tagged = method == "get" and operation.kind == JSON
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _name(path, method),
        "parameters": [*_parameters(path), *_queries(operation), *_headers(operation, tagged)],
        "responses": dict(sorted(_responses(operation, tagged, path.startswith(f"{API}/")))),
        "security": _security(path, method, operation, locked),
    }
    if operation.takes is not None:
        content = {JSON: {"schema": ref(operation.takes)} | shown.get(operation.takes, {})}
        found["requestBody"] = {"required": method != "delete", "content": content}
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
        {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in operation.keys.items()
    ]
    return found


def _headers(operation: Operation, tagged: bool) -> list[Schema]:
    """The headers that a request may carry."""
    found: dict[str, tuple[str, Schema]] = {}
    if operation.named or operation.takes is not None:
        told = "Names this request: sent again with the same key it is followed once, and answered alike."
        found["Idempotency-Key"] = told, {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"}
    if operation.matched:
        found["If-Match"] = "The ETag of the state that the change is meant for.", {"type": "string"}
    if tagged:
        found["If-None-Match"] = "The ETag of what you have: 304 while it is so.", {"type": "string"}
    return [
        {"name": name, "in": "header", "required": False, "description": told, "schema": schema}
        for name, (told, schema) in found.items()
    ]


def _replied(status: int, operation: Operation, tagged: bool) -> dict[str, Schema]:
    """The headers that an answer may carry."""
    names: list[str] = []
    if status in (200, 201, 304) and (tagged or operation.matched or "incident" in (operation.gives or {}).values()):
        names += ["ETag"]
    if status in (200, 201) and operation.takes is not None:
        names += ["Content-Location"]
    if status in (200, 304) and operation.paged:
        names += ["Link"]
    if status == 503:
        names += ["Retry-After"]
    if status == 401:
        names += ["WWW-Authenticate"]
    return {name: HEADERS[name] for name in names}


def _responses(operation: Operation, tagged: bool, strict: bool) -> list[tuple[str, Schema]]:
    """By status; `strict`: a key of the query that there is not is answered 400."""
    content: dict[int, dict[str, Any]] = {304: {}} if tagged else {}
    for status, name in (operation.gives or {}).items():
        schema = {"type": "string"} if operation.kind in (PLAIN, STREAM, HTML) else ref(name)
        content[status] = {operation.kind: {"schema": schema}} if name else {}
        if name == "board":
            content[status][STREAM]["schema"] |= {"description": "`event: board`, its `data` as the schema `board`."}
        if operation.summary.startswith("Metrics"):
            content[status]["application/openmetrics-text"] = {"schema": schema}
    named = operation.named or operation.takes is not None
    for status in (*operation.fails, *((422,) if named else ()), *((412,) if operation.matched else ())):
        content.setdefault(status, {})[JSON] = {"schema": ref("error")}
    if strict:
        content.setdefault(400, {})[JSON] = {"schema": ref("error")}
    for status in operation.tells:
        content.setdefault(status, {})[PLAIN] = {"schema": {"type": "string"}}
    return [
        (
            str(status),
            {"description": REASONS[status]}
            | ({"content": one} if one else {})
            | ({"headers": replied} if (replied := _replied(status, operation, tagged)) else {}),
        )
        for status, one in content.items()
    ]


def _security(path: str, method: str, operation: Operation, locked: bool) -> list[dict[str, list[str]]]:
    if path.startswith("/heartbeat/"):
        return [{"heartbeat": []}, {}]
    if operation.free or not locked:
        return []
    return [{"token": []}, {"session": []} if method == "get" else {"session": [], "csrf": []}]
