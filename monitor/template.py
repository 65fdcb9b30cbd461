"""Template: a body in the operator's own words, for receivers that want their own form.

Jinja in a sandbox, without escaping; a name that is not there is a mistake and never an empty text. What can be known
without a notice is known when the file is read (`faults`); rendering ends at a number of steps, a size and a time.
"""

import time
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 20_000  # characters of a template
LARGEST = 256 * 1024  # characters of a body
STEPS = 10_000  # rounds of `range` in one rendering
SECONDS = 1.0

_ANY: Mapping[str, Any] = {}
_ENDS = None
_CAUSE = {
    **dict.fromkeys(("candidates", "shared", "locations", "trigger", "summary", "evidence", "platform_reports"), _ANY),
    **dict.fromkeys(("scope", "module", "code", "class", "confidence", "state"), _ENDS),
    "line": _ANY,
}
_INCIDENT = {
    "cause": _CAUSE,
    **dict.fromkeys(("title", "modules", "components", "updates", "notices", "wording", "acts"), _ANY),
    **dict.fromkeys(("id", "key", "status", "impact", "priority", "started_at", "detected_at", "published_at"), _ENDS),
    **dict.fromkeys(("acknowledged_at", "resolved_at", "reopened", "origin", "merged_into"), _ENDS),
}
# What a template may name: a mapping says what is inside, an empty one anything, None nothing.
NAMES: Mapping[str, Any] = {
    "incident": _INCIDENT,
    "text": _ANY,
    "text_short": _ANY,
    "digest": _ANY,
    "review": _ANY,
    "clock": _ANY,
    "stores": _ANY,
    "collapsed": _ANY,
    "links": dict.fromkeys(("page", "dashboard", "runbook", "acknowledge"), _ENDS),
    **dict.fromkeys(("event_id", "dedup_key", "seq", "attempt", "event", "at", "why"), _ENDS),
    **dict.fromkeys(("subject", "body", "short", "language"), _ENDS),
}


class TemplateFailed(Exception):
    """A template gave no body; the text says why and, where it is known, in which line of it."""


class Fault(NamedTuple):
    """What is wrong with a template: in which line of it, counted from 1, near which of its words, and what."""

    line: int
    near: str
    message: str


_WIDENING = frozenset({"format", "format_map", "ljust", "rjust", "center", "zfill", "expandtabs"})


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without what makes much of little: powers, texts multiplied, and texts padded to a width."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(one, int | float) for one in (left, right)):
            raise TemplateFailed(f"`{operator}` is not for these values")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """No `format` of a text, not even a guarded one: it pads."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _WIDENING and super().is_safe_attribute(obj, attr, value)


def _environment() -> _Sandbox:
    found = _Sandbox(autoescape=False, undefined=StrictUndefined, keep_trailing_newline=False, cache_size=0)
    # What fills memory by itself, or gives another body for the same notice.
    for name in ("lipsum", "namespace", "cycler", "joiner"):
        del found.globals[name]
    for name in ("random", "pprint", "center", "indent", "format", "xmlattr", "filesizeformat"):
        del found.filters[name]
    return found


_SANDBOX = _environment()


def faults(text: str) -> Iterator[Fault]:
    """Every mistake that can be seen without a notice; the first of syntax hides the rest."""
    if len(text) > LONGEST:
        yield Fault(1, "", f"it is longer than {LONGEST:,} characters")
        return
    try:
        tree = _SANDBOX.parse(text)
        _SANDBOX.compile(text)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        yield Fault(error.lineno, message.split("'")[1] if message.startswith("No ") else "", message)
        return
    except (TemplateError, RecursionError, ValueError, OverflowError) as error:
        yield Fault(1, "", str(error).split("\n")[0] or "it cannot be read")
        return
    for tag in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield Fault(tag.lineno, "", "it stands alone: nothing can be included, imported or extended")
    unknown = find_undeclared_variables(tree) - NAMES.keys() - _SANDBOX.globals.keys()
    told: set[str] = set()
    for name in tree.find_all(nodes.Name):
        if name.name in unknown - told:
            told.add(name.name)
            yield Fault(name.lineno, name.name, f"there is no `{name.name}`{_nearest(name.name, NAMES)}")
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for part in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if missing := _missing(part, own):
            place, word, known = missing
            yield Fault(part.lineno, word, f"`{place}` has no `{word}`{_nearest(word, known)}")


def _missing(part: nodes.Expr, own: set[str]) -> tuple[str, str, Mapping[str, Any]] | None:
    """Of `incident.titel`: where it is missing, what, and what there is. None when it is there, or cannot be known."""
    match part:
        case nodes.Getattr(node=node, attr=str(word)) | nodes.Getitem(node=node, arg=nodes.Const(value=str(word))):
            known, place = _inside(node, own)
            return (place, word, known) if known and word not in known else None
    return None


def _inside(node: nodes.Node, own: set[str]) -> tuple[Mapping[str, Any], str]:
    """What is known to be inside an expression, and how it is written; empty where that is anything."""
    match node:
        case nodes.Name(name=str(name)) if name not in own:
            return NAMES.get(name) or {}, name
        case nodes.Getattr(node=inner, attr=str(word)) | nodes.Getitem(node=inner, arg=nodes.Const(value=str(word))):
            known, place = _inside(inner, own)
            return known.get(word) or {}, f"{place}.{word}"
    return {}, ""


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    found = get_close_matches(word, known, 1)
    return f"; did you mean `{found[0]}`?" if found else ""


@lru_cache(maxsize=64)
def _compiled(text: str) -> Template:
    return _SANDBOX.from_string(text)


def render(text: str, names: Mapping[str, Any]) -> str:
    """The body, at most LARGEST characters. Raises TemplateFailed. Blocks for a second at most, unless one expression
    by itself takes longer: call it in a thread."""
    size, until, left = 0, time.monotonic() + SECONDS, STEPS
    pieces: list[str] = []

    def bounded(*limits: int) -> Iterator[int]:
        nonlocal left
        for one in range(*limits):
            left -= 1
            if left < 0 or time.monotonic() > until:
                raise TemplateFailed(f"it takes more than {STEPS:,} steps or {SECONDS:g} s")
            yield one

    try:
        for piece in _compiled(text).generate(**names, range=bounded):
            size += len(piece)
            if size > LARGEST or time.monotonic() > until:
                raise TemplateFailed(f"it gives more than {LARGEST:,} characters or takes more than {SECONDS:g} s")
            pieces.append(piece)
    except TemplateFailed:
        raise
    except Exception as error:  # a template can raise whatever a filter raises
        raise TemplateFailed(f"{type(error).__name__} in line {_line(error)}: {_said(error)}") from None
    return "".join(pieces)


def _line(error: BaseException) -> int:
    """The line of the template: Jinja rewrites the trace so that its own file is the template."""
    found, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
