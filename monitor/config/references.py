"""References: what no single field can know. Ids are unique, names lead somewhere, and values agree with one another.

Everything here reads the plain tables, not the model, so that one wrong value does not hide the rest. What has the
wrong shape is passed over: the model tells it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config import flows, places, promises, telling
from monitor.config.access import SHORTEST_SECRET
from monitor.config.addresses import split_host_port
from monitor.config.findings import Findings, shown
from monitor.config.graph import cycles
from monitor.config.kinds import LOOKS_AT
from monitor.config.notices import moment
from monitor.config.scalars import duration
from monitor.config.table import Path, Place, Withheld, each, find

Catalogues = Callable[[str | None], frozenset[str] | None]
LOOPBACK = ("localhost", "::1")
_TAKEN = ("body", "form", "json")

# Which names lead where: the way to each name, and what it names.
_NAMES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("modules", "*", "probes", "*", "verdicts", "*", "module"), "module"),
    (("modules", "*", "probes", "*", "steps", "*", "module"), "module"),
    (("modules", "*", "probes", "*", "locations", "*"), "location"),
    (("defaults", "locations", "*"), "location"),
    (("monitor", "location"), "location"),
    (("components", "*", "items", "*", "modules", "*"), "module"),
    (("notify", "*", "match", "group", "*"), "group"),
    (("notify", "*", "match", "component", "*"), "component"),
    (("notify", "*", "match", "module", "*"), "module"),
    (("notify", "*", "hours"), "calendar"),
    (("notify", "*", "match", "store", "*"), "store"),
    (("notify", "*", "match", "plan", "*"), "plan"),
    (("notify", "*", "steps", "*", "hours"), "calendar"),
    (("notify", "*", "steps", "*", "plan", "*"), "plan"),
    (("modules", "*", "stores", "*"), "store"),
    (("channels", "*", "hours"), "calendar"),
    (("maintenance", "*", "modules", "*"), "module"),
    (("publish", "rules", "*", "match", "modules", "*"), "module"),
    (("publish", "rules", "*", "match", "group", "*"), "group"),
    (("calendars", "*", "outside"), "calendar"),
    (("plans", "*", "hours"), "calendar"),
    (("plans", "*", "phone", "hours"), "calendar"),
    (("stores", "*", "plan"), "plan"),
    (("stores", "*", "channels", "*"), "channel"),
    (("stores", "*", "key_account", "channels", "*"), "channel"),
)
# Lists of names, none of which has a use for the same name twice.
_ONCE: tuple[tuple[str, ...], ...] = (
    ("site", "languages", "*"),
    ("components", "*", "items", "*", "modules", "*"),
    ("modules", "*", "signals", "*"),
)
_IDS: dict[str, tuple[str, ...]] = {
    "module": ("modules", "*", "id"),
    "group": ("components", "*", "group", "id"),
    "component": ("components", "*", "items", "*", "id"),
    "location": ("locations", "*", "id"),
    "plan": ("plans", "*", "id"),
    "store": ("stores", "*", "id"),
    "maintenance": ("maintenance", "*", "id"),
}


class References:
    """Checks one document against itself."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.root = findings.root
        self.known: dict[str, dict[str, Path]] = {}
        self.aliases: dict[str, str] = {}

    def check(self, catalogues: Catalogues | None) -> None:
        """Everything, in the order of dependence: ids first, then what names them."""
        for what, pattern in _IDS.items():
            self.known[what] = self.unique(what, each(self.root, pattern))
        self.known["location"].setdefault("here", ())
        for what in ("channel", "calendar"):
            section = self.root.get(f"{what}s")
            self.known[what] = dict.fromkeys(section, ()) if isinstance(section, dict) else {}
        if "always" in self.known["calendar"]:
            self.findings.error(("calendars", "always"), "`always` is taken: it stands for every hour", key=True)
        self.check_aliases()
        self.check_lists()
        for pattern, what in _NAMES:
            for path, value in each(self.root, pattern):
                self.named(path, what, value)
        telling.check(self.findings, self.known)
        promises.check(self.findings)
        places.check(self.findings, self.known["location"])
        self.check_modules()
        self.check_pairs()
        self.check_addresses()
        self.check_people()
        self.check_languages(catalogues)

    def unique(self, what: str, found: Iterator[tuple[Path, Any]]) -> dict[str, Path]:
        """The ids found, each with its first path; a second one is told."""
        seen: dict[str, Path] = {}
        for path, value in found:
            if not isinstance(value, str) or isinstance(value, Withheld):
                continue
            if value in seen:
                line = self.place(seen[value]).line
                self.findings.error(path, f"{what} `id` {shown(value)} is already used in line {line}")
            else:
                seen[value] = path
        return seen

    def place(self, path: Path) -> Place:
        return find(self.root, path)[1]

    def named(self, path: Path, what: str, value: Any) -> None:
        """A name must lead to something."""
        if not isinstance(value, str) or isinstance(value, Withheld) or value in self.known[what]:
            return
        if what == "calendar" and value == "always":
            return
        if what == "module" and value in self.aliases:
            now = self.aliases[value]
            self.findings.error(path, f"{shown(value)} is the former id of a module; did you mean {shown(now)}?")
            return
        choices = [*self.known[what], "always"] if what == "calendar" else self.known[what]
        self.findings.unknown(path, what, value, choices)

    def check_aliases(self) -> None:
        """A former id belongs to one module, and to none that exists."""
        for path, alias in each(self.root, ("modules", "*", "aliases", "*")):
            if not isinstance(alias, str):
                continue
            owner = find(self.root, (*path[:2], "id"))[0]
            if alias in self.known["module"]:
                line = self.place(self.known["module"][alias]).line
                self.findings.error(path, f"alias {shown(alias)} is the `id` of the module in line {line}")
            elif alias in self.aliases:
                self.findings.error(path, f"alias {shown(alias)} is used twice")
            elif isinstance(owner, str):
                self.aliases[alias] = owner

    def check_lists(self) -> None:
        """What a list names, it names once."""
        seen: set[tuple[Path, str]] = set()
        for pattern in _ONCE:
            for path, value in each(self.root, pattern):
                if not isinstance(value, str) or isinstance(value, Withheld):
                    continue
                if (path[:-1], value) in seen:
                    self.findings.error(path, f"`{pattern[-2]}` names {shown(value)} twice")
                seen.add((path[:-1], value))

    def check_modules(self) -> None:
        """Dependencies and probes of each module."""
        edges: dict[str, dict[str, Path]] = {}
        for path, module in each(self.root, ("modules", "*")):
            if not isinstance(module, dict):
                continue
            found: dict[str, Path] = {}
            for at, entry in each(module.get("depends_on"), ("*",), (*path, "depends_on")):
                self.depend(module.get("id"), at, entry, found)
            if isinstance(module.get("id"), str):
                edges.setdefault(module["id"], found)
            self.unique("probe", each(module.get("probes"), ("*", "id"), (*path, "probes")))
            for at, probe in each(module.get("probes"), ("*",), (*path, "probes")):
                if isinstance(probe, dict):
                    self.check_probe(at, probe)
        for cycle in cycles({id: list(found) for id, found in edges.items()}):
            names = " → ".join(shown(one).strip("`") for one in (*cycle, cycle[0]))
            self.findings.warning(edges[cycle[0]][cycle[1]], f"dependency cycle {names}; it is judged as one node")

    def depend(self, id: Any, path: Path, entry: Any, found: dict[str, Path]) -> None:
        """One entry of `depends_on`."""
        name = entry.get("module") if isinstance(entry, dict) else entry
        at = (*path, "module") if isinstance(entry, dict) else path
        if not isinstance(name, str):
            return
        if name == id:
            self.findings.error(at, f"`depends_on` names the module itself, {shown(name)}")
        elif name in found:
            self.findings.error(at, f"`depends_on` names {shown(name)} twice")
        else:
            self.named(at, "module", name)
            found[name] = at

    def check_probe(self, path: Path, probe: Mapping[str, Any]) -> None:
        """What the keys of one probe must agree on."""
        self.times(path, probe)
        self.vain(path, probe)
        kind = probe.get("kind")
        self.body(path, probe)
        for at, step in each(probe.get("steps"), ("*",), (*path, "steps")):
            if isinstance(step, dict):
                self.body(at, step)
                self.vain(at, {**step, "timeout": probe.get("timeout")})
        if kind == "flow":
            flows.check(self.findings, path, probe, _length(self.interval(probe)))
        if kind == "statuspage" and probe.get("role") == "verdict":
            self.findings.error((*path, "role"), "`role` must be `evidence` for kind `statuspage`, not `verdict`")
        if kind == "heartbeat" and probe.get("locations") not in (None, [places.own_of(self.root)]):
            said = "`locations` says nothing of a heartbeat: its calls are known where the ops side is"
            self.findings.warning((*path, "locations"), said)
        topic = probe.get("topic")
        if kind == "mqtt" and isinstance(topic, str) and not isinstance(topic, Withheld) and not _is_topic(topic):
            said = f"`topic` must name one topic, without `+`, `#` and a `$` in front, not {shown(topic)}"
            self.findings.error((*path, "topic"), said)
        limits = [key for key in ("max_age", "advances_within") if probe.get(key) is not None]
        if kind == "freshness" and len(limits) != 1:
            at = (*path, limits[1]) if limits else path
            self.findings.error(at, "`freshness` takes exactly one of `max_age` and `advances_within`", key=True)

    def times(self, path: Path, probe: Mapping[str, Any]) -> None:
        """A timeout that is written, here or beside the interval in `defaults`, lies below the interval."""
        written = self.interval(probe)
        timeout = _length(probe.get("timeout"))
        interval = _length(written)
        if timeout is not None and interval is not None and timeout >= interval:
            theirs = shown(written)
            self.findings.error(
                (*path, "timeout"), f"`timeout` must be below the interval of {theirs}, not {shown(probe['timeout'])}"
            )

    def interval(self, probe: Mapping[str, Any]) -> Any:
        """How often a probe runs, as it is written there or in `defaults`."""
        defaults = self.root.get("defaults")
        return probe.get("interval") or (defaults.get("interval") if isinstance(defaults, dict) else None) or "30s"

    def vain(self, path: Path, probe: Mapping[str, Any]) -> None:
        """Expectations that are well written and can never make a difference are warned about."""
        expect = probe.get("expect")
        if not isinstance(expect, dict):
            return
        kind = probe.get("kind") or "http"
        looks_at = LOOKS_AT.get(str(kind), LOOKS_AT["http"])
        takes = ", ".join(f"`{one}`" for one in looks_at)
        for key in LOOKS_AT["http"]:
            if expect.get(key) is not None and key not in looks_at:
                self.findings.warning(
                    (*path, "expect", key), f"`{key}` says nothing of a probe of kind `{kind}`, which looks at {takes}"
                )
        url = probe.get("url")
        if expect.get("certificate") is not None and isinstance(url, str) and url.lower().startswith("http://"):
            self.findings.warning(
                (*path, "expect", "certificate"), "`certificate` says nothing of an `http://` address"
            )
        defaults = self.root.get("defaults")
        inherited = (defaults.get("timeout") if isinstance(defaults, dict) else None) or "10s"
        written = probe.get("timeout") or inherited
        slow, timeout = _length(expect.get("slow_after")), _length(written)
        if slow is not None and timeout is not None and slow >= timeout:
            said = f"`slow_after` {shown(expect['slow_after'])} is never reached: the timeout is {shown(written)}"
            self.findings.warning((*path, "expect", "slow_after"), said)

    def body(self, path: Path, request: Mapping[str, Any]) -> None:
        """A request has one body, and each header once."""
        written = [key for key in request if key in _TAKEN and request[key] is not None]
        for key in written[1:]:
            self.findings.error((*path, key), f"`{key}` excludes `{written[0]}`; a request has one body", key=True)
        names: set[str] = set()
        headers = request.get("headers")
        for name in headers if isinstance(headers, dict) else ():
            if name.lower() in names:
                self.findings.error((*path, "headers", name), f"header {shown(name)} is written twice", key=True)
            names.add(name.lower())

    def check_pairs(self) -> None:
        """`defaults`, maintenance windows and calendars."""
        defaults = self.root.get("defaults")
        if isinstance(defaults, dict) and "timeout" in defaults:
            self.times(("defaults",), defaults)
        for path, window in each(self.root, ("maintenance", "*")):
            if not isinstance(window, dict):
                continue
            if (window.get("until") is None) == (window.get("duration") is None):
                self.findings.error(path, "a window takes exactly one of `until` and `duration`")
            start, end = _instant(window.get("from")), _instant(window.get("until"))
            if start and end and (start.tzinfo is None) == (end.tzinfo is None) and start >= end:
                self.findings.error(
                    (*path, "until"), f"`until` must be later than `from`, not {shown(window['until'])}"
                )
        self.check_outside()
        for path, calendar in each(self.root, ("calendars", "*")):
            if isinstance(calendar, dict) and calendar.get("from", "09:00") == calendar.get("until", "18:00"):
                self.findings.error(path, "`from` and `until` of a calendar must differ", key=True)

    def check_outside(self) -> None:
        """What lies outside of a calendar is said of one that has hours, and is no hours of a plan."""
        calendars = self.root.get("calendars")
        found = calendars if isinstance(calendars, dict) else {}
        outer = {name: one for name, one in found.items() if isinstance(one, dict) and one.get("outside") is not None}
        for name, one in outer.items():
            at, other = ("calendars", name, "outside"), one["outside"]
            if len(one) > 1:
                self.findings.error(at, "`outside` excludes every other key of a calendar", key=True)
            if other == "always" or (isinstance(other, str) and other in outer):
                self.findings.error(at, f"`outside` names a calendar with hours, not {shown(other)}")
        for path, plan in each(self.root, ("plans", "*")):
            phone = plan.get("phone") if isinstance(plan, dict) else None
            for where, hours in (
                ((*path, "hours"), plan.get("hours") if isinstance(plan, dict) else None),
                ((*path, "phone", "hours"), phone.get("hours") if isinstance(phone, dict) else None),
            ):
                if isinstance(hours, str) and hours in outer:
                    self.findings.error(
                        where, f"{shown(hours)} lies outside of a calendar: a plan has hours of its own"
                    )

    def check_addresses(self) -> None:
        """The two servers do not stand in each other's way, and controls are not open to the world."""
        monitor = self.root.get("monitor")
        if not isinstance(monitor, dict):
            return
        public, ops = monitor.get("public") or "127.0.0.1:8080", monitor.get("ops") or "127.0.0.1:9464"
        parts = split_host_port(ops) if isinstance(ops, str) else None
        if parts and parts[1] and public == ops:
            self.findings.error(("monitor", "ops"), f"`ops` must differ from `public`, not {shown(ops)}")
        token = monitor.get("ops_token")
        if isinstance(token, str) and not isinstance(token, Withheld) and 0 < len(token) < SHORTEST_SECRET:
            said = f"make it at least {SHORTEST_SECRET} characters that cannot be guessed"
            self.findings.warning(("monitor", "ops_token"), f"`ops_token` can be tried from afar: {said}")
        named = any(monitor.get(key) for key in ("ops_token", "users", "tokens"))
        if parts and not is_loopback(parts[0]) and not named:
            self.findings.warning(
                ("monitor", "ops"), f"`ops` {shown(ops)} binds to loopback only, because `ops_token` is not set"
            )

    def check_people(self) -> None:
        """Everybody has a name of their own, and somebody may change something."""
        names: set[str] = set()
        texts: set[str] = set()
        may_change = False
        listed = [*each(self.root, ("monitor", "users", "*")), *each(self.root, ("monitor", "tokens", "*"))]
        for path, one in listed:
            name, token = (one.get("name"), one.get("token")) if isinstance(one, dict) else (None, None)
            may_change = may_change or (isinstance(one, dict) and one.get("role") == "operator")
            if isinstance(name, str) and name in names:
                self.findings.error((*path, "name"), f"`name` {shown(name)} is taken by another user or token")
            if isinstance(token, str) and not isinstance(token, Withheld) and token in texts:
                self.findings.error((*path, "token"), "`token` is that of another one")
            names.add(str(name))
            texts.add(str(token))
        if listed and not may_change and not any(text for _, text in each(self.root, ("monitor", "ops_token"))):
            self.findings.warning(listed[0][0][:2], "nobody may change anything: no `operator`, and no `ops_token`")

    def check_languages(self, catalogues: Catalogues | None) -> None:
        """Each language has a catalogue; `en` is what the theme itself is written in."""
        site = self.root.get("site")
        theme = site.get("theme") if isinstance(site, dict) else None
        listed = list(each(self.root, ("site", "languages", "*")))
        if catalogues is None or (theme is not None and not isinstance(theme, str)):
            return
        known = catalogues(str(theme) if theme else None)
        if known is None:
            if theme:
                self.findings.error(("site", "theme"), f"`theme` must be a folder like `site/`, not {shown(theme)}")
            return
        for path, tag in listed:
            if isinstance(tag, str) and tag != "en" and tag not in known:
                near = self.findings.nearest(tag, [*known, "en"])
                self.findings.error(path, f"`languages` names {shown(tag)}, which has no catalogue in the theme{near}")


def _is_topic(text: str) -> bool:
    """Whether MQTT takes it for a name to publish under, with room for what makes it our own."""
    wild = any(letter in text for letter in "+#\0")
    return bool(text) and not wild and not text.startswith("$") and len(text.encode("utf-8", "replace")) <= 60_000


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    return host in LOOPBACK or host.startswith("127.")


def _instant(value: Any) -> datetime | None:
    """A date and time, or None for whatever is not one."""
    try:
        return moment(value)
    except PydanticCustomError:
        return None


def _length(value: Any) -> timedelta | None:
    """A duration, or None for whatever is not one."""
    try:
        return duration(value) if isinstance(value, str) and not isinstance(value, Withheld) else None
    except PydanticCustomError:
        return None
