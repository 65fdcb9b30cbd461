"""Substitution: `${NAME}`, `${NAME:-default}` and `${file:/path}` in scalar values, and what of it is a secret.

Names of `vars` come before the environment, those of `demo` after it. What is unset or empty is missing, and a missing
one is an error unless the probe around it `needs` that name; then the probe is off, with the reason. Where `NAME` is
not set, `NAME_FILE` may name a file that holds it. `$${` stands for a literal `${`.
Nothing here puts a substituted value into a message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from monitor.config.table import Path, Row, Substituted, Table, Withheld, find
from monitor.config.yaml12 import Document, Template
from monitor.core.target import SECRET_NAME

ReadFile = Callable[[str], str]
Report = Callable[[Path, str, str], None]  # path, message, the piece of text it is about

_PIECE = re.compile(
    r"\$(?P<escaped>\$\{)"
    r"|\$\{file:(?P<file>[^}]*)\}"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>[^}]*))?\}"
    r"|\$\{[^}]*\}?"
)
USERINFO = re.compile(r"://[^/\s:@\"']*:([^@\s/\"']+)@")
_PARAMETER = re.compile(
    r"[?&](?:[^=&?#\s]*[_.-])?(?:key|apikey|appkey|token|apptoken|secret|password|passwd|pwd|signature|sig)=([^&#\s\"']{8,})",
    re.IGNORECASE,
)
_PRIVATE_PROBE_KEYS = frozenset({"headers", "body", "json", "form", "secret", "password"})
_PRIVATE_SETTINGS = frozenset({"ops_token", "database", "heartbeat_url", "secret", "tokens", "users", "broker"})
_FILLED = ("url", "headers", "json", "body", "form")  # keys of a step that take what earlier ones save
SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Value:
    """A looked-up text. `outside` are the pieces of it that came from the environment or a file."""

    text: str
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """Names that steps of a flow save: those a place can use, and what is wrong with the others there."""

    earlier: frozenset[str] = frozenset()
    wrong: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Substitution:
    """The outcome: which probes are off and why, by their path, and what must never leave the process."""

    off: dict[Path, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)


class Substituter:
    """Fills the templates of one document, in place."""

    def __init__(self, environment: Mapping[str, str], read_file: ReadFile, report: Report) -> None:
        self.environment = environment
        self.read_file = read_file
        self.report = report
        self.vars: dict[str, Value] = {}
        self.demo: dict[str, str] = {}
        self.result = Substitution()

    def fill(self, document: Document) -> Substitution:
        """1. `vars`, in their order. 2. Which probes are off. 3. Everything else."""
        root = document.root
        self.demo = self.standing_in(root.get("demo"))
        templates = {template.path: template for template in document.templates if template.path[0] == "vars"}
        written = root.get("vars")
        for name, text in written.items() if isinstance(written, Table) else ():
            template = templates.get(("vars", name))
            if template is not None:
                self.vars[name] = self.replace(template, frozenset(), Saved())
            elif isinstance(text, str):
                self.vars[name] = Value(text)
                if SECRET_NAME.search(name):
                    self.keep(text)
        self.switch_off(root)
        for template in document.templates:
            if template.path[0] != "vars":
                self.replace(template, self.needed(root, template.path), self.saved(root, template.path))
        return self.result

    def standing_in(self, written: object) -> dict[str, str]:
        """The names of `demo`; none once the first of them has another value in the environment, for what is written
        here belongs to one invented store and must not be mixed with a real one."""
        entries = written.items() if isinstance(written, Table) else ()
        values = {name: text for name, text in entries if isinstance(text, str)}
        first = next(iter(values), "")
        return values if self.environment.get(first) in (None, "", values.get(first)) else {}

    def switch_off(self, root: Table) -> None:
        """Notes each probe that needs a name which is unset or empty."""
        modules = root.get("modules")
        for i, module in enumerate(modules) if isinstance(modules, Row) else ():
            probes = module.get("probes") if isinstance(module, Table) else None
            for j, probe in enumerate(probes) if isinstance(probes, Row) else ():
                needs = probe.get("needs") if isinstance(probe, Table) else None
                unset = [str(name) for name in needs if not self.known(name)] if isinstance(needs, Row) else []
                if unset:
                    names = " and ".join((", ".join(unset[:-1]), unset[-1]) if len(unset) > 1 else unset)
                    self.result.off["modules", i, "probes", j] = f"{names} {'is' if len(unset) == 1 else 'are'} not set"

    def known(self, name: object) -> bool:
        value = self.vars.get(str(name))
        try:
            return bool(value.text if value else self.given(str(name)) or self.demo.get(str(name)))
        except (OSError, ValueError):
            return True  # it is meant to be there: where it is used the file is told of

    def given(self, name: str) -> str:
        """What the environment says of a name, or the file that `NAME_FILE` names; empty when neither does.

        Raises OSError or ValueError when that file cannot be read.
        """
        if (text := self.environment.get(name)) or not (file := self.environment.get(f"{name}_FILE")):
            return text or ""
        held = self.read_file(file).rstrip("\r\n")
        self.keep(held)  # whoever puts it into a file of its own does not want it seen
        return held

    def needed(self, root: Table, path: Path) -> frozenset[str]:
        """The names that the probe around a path needs, when it is off for the lack of one."""
        if path[:4] not in self.result.off:
            return frozenset()
        return frozenset(str(name) for name in find(root, (*path[:4], "needs"))[0])

    def saved(self, root: Table, path: Path) -> Saved:
        """The names that steps of the flow around a path save: they are filled in by the run itself."""
        if len(path) < 7 or path[0] != "modules" or path[2] != "probes" or path[4] != "steps":
            return Saved()
        steps, index = find(root, path[:5])[0], path[5]
        by_name: dict[str, int] = {}
        for number, step in enumerate(steps if isinstance(steps, Row) else ()):
            save = step.get("save") if isinstance(step, Table) else None
            for name in save if isinstance(save, Table) else ():
                by_name.setdefault(name, number)
        earlier = {name for name, number in by_name.items() if isinstance(index, int) and number < index}
        late = {name: f"`{name}` is not there yet: step {n + 1} of the flow saves it" for name, n in by_name.items()}
        if path[6] not in _FILLED:
            where = ", ".join(f"`{key}`" for key in _FILLED)
            return Saved(wrong={name: f"a saved value like `{name}` can stand in {where} only" for name in by_name})
        return Saved(frozenset(earlier), {name: said for name, said in late.items() if name not in earlier})

    def replace(self, template: Template, needed: frozenset[str], saved: Saved) -> Value:
        """Puts the text with everything replaced in the place of the template."""
        outside: list[str] = []
        replaced = withheld = False
        private = _private(template.path)

        def one(match: re.Match[str]) -> str:
            nonlocal replaced, withheld
            if match["escaped"]:
                return "${"
            if match["name"] in saved.earlier and not match["fallback"]:
                return match[0]
            replaced = True
            value = self.look_up(match, template.path, needed, saved)
            if value is None:
                withheld = True
                return "unset"
            outside.extend(value.outside)
            if match["file"] is not None or private or (match["name"] and SECRET_NAME.search(match["name"])):
                for piece in value.outside:
                    self.keep(piece)
            return value.text

        text = _PIECE.sub(one, template.text)
        if replaced:
            self.result.secrets.update(passwords(text))
        kind = Withheld if withheld else Substituted
        template.box[template.key] = kind(text, _elided(template.text)) if replaced else text
        return Value(text, tuple(outside))

    def look_up(self, match: re.Match[str], path: Path, needed: frozenset[str], saved: Saved) -> Value | None:
        """The value of one `${…}`; None when there is none, which is told unless the probe is off for it."""
        if match["file"] is not None:
            return self.look_into(match["file"], path, match[0])
        name = match["name"]
        if name is None:
            self.report(path, f"`{_elided(match[0])}` is no substitution; write `$${{` for a literal `${{`", match[0])
            return None
        if name in self.vars and (self.vars[name].text or not match["fallback"]):
            return self.vars[name]
        try:
            given = self.given(name)
        except (OSError, ValueError):
            return self.look_into(self.environment[f"{name}_FILE"], path, match[0])
        if given:
            return Value(given, (given,))
        if text := self.demo.get(name):
            return Value(text)
        if match["fallback"]:
            if "${" in match["default"]:
                self.report(path, f"the default of `{name}` cannot hold another `${{…}}`", match[0])
            return Value(match["default"])
        if name in saved.wrong:
            self.report(path, saved.wrong[name], match[0])
        elif name not in needed:
            state = "is empty" if name in self.environment else "is not set"
            self.report(path, f"`{name}` {state}; set it, or write `${{{name}:-default}}`", match[0])
        return None

    def look_into(self, name: str, path: Path, piece: str) -> Value | None:
        """The text of a secret file without its last line break."""
        try:
            text = self.read_file(name).rstrip("\r\n")
        except OSError as error:
            self.report(path, f"cannot read `{name}`: {(error.strerror or 'it cannot be opened').lower()}", piece)
            return None
        except ValueError:
            self.report(path, f"cannot read `{name}`: it is not a short UTF-8 text", piece)
            return None
        if not text:
            self.report(path, f"`{name}` is empty", piece)
            return None
        return Value(text, (text,))

    def keep(self, text: str) -> None:
        """Remembers a secret, and the password inside it when it is an address."""
        self.result.secrets.update(one for one in (text, text.strip(), *passwords(text)) if len(one) >= SHORTEST_SECRET)


def passwords(text: str) -> set[str]:
    """The passwords of every `scheme://user:password@host` in a text, and what its addresses have as `?api_key=` and
    the like; as written and decoded, none from `${…}`."""
    found = {one for one in (*USERINFO.findall(text), *_PARAMETER.findall(text)) if "${" not in one}
    return {one for raw in found for one in (raw, unquote(raw)) if len(one) >= SHORTEST_SECRET}


def _private(path: Path) -> bool:
    """Whether a value from outside is a secret because of where it is used."""
    match path:
        case ("channels", *_) | ("locations", _, "secret"):
            return True
        case ("monitor", key, *_):
            return key in _PRIVATE_SETTINGS
        case ("modules", _, "probes", _, "steps", _, key, *_) | ("modules", _, "probes", _, key, *_):
            return key in _PRIVATE_PROBE_KEYS
    return False


def _elided(text: str) -> str:
    """A template as messages show it: names yes, defaults no."""
    return re.sub(r":-[^}]*", ":-…", text)
