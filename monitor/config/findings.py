"""Findings: every problem of one file, each at its place, in sentences that name the key and show the value.

A value that came from `${…}` is never shown; what is shown instead is how the author wrote it. Neither is a secret that
stands in the file itself. For a wrong word the nearest right one is offered.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config import Problem
from monitor.config.substitution import USERINFO
from monitor.config.table import Path, Substituted, Withheld, find
from monitor.config.yaml12 import Document
from monitor.core.target import SECRET_NAME

LONGEST_SHOWN = 80
MANY = 500  # among more words than this, only the first misspellings get a suggestion: each costs milliseconds
MOST_SUGGESTIONS = 50
HIDDEN = "•••"
SECRET_KEYS = frozenset({"ops_token", "secret", "password", "token", "routing_key"})

_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]*$": "must be lower-case letters, digits and hyphens, beginning with a letter or digit",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "must be a name of letters, digits and underscores",
    r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$": "must be a language tag, such as en or pt-BR",
    r"^(sqlite:///.|postgresql://.)": "must begin with sqlite:/// or postgresql://",
    r"^[^#+$\x00][^#+\x00]*$": "cannot hold `#` or `+`, nor begin with `$`: these have a meaning in MQTT topics",
    "^[A-Z]{3}$": "must be a currency code of three capitals, such as BRL",
}
_SHAPES = {
    "string_type": "must be text; put it in quotes",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "string_unicode": "is not text that can be written as UTF-8",
}

_PARAMETER = re.compile(r"([?&][^=&\s]*=)([^&\s#]+)")
_WORD = re.compile(r"[-+.0-9A-Za-z]+")
_EVIDENT = ("too_short", "string_too_short", "string_too_long")


def shown(value: Any) -> str:
    """A value as a message shows it: one short line without control characters, in backquotes; never a secret."""
    if isinstance(value, Substituted):
        text = value.written
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    else:
        text = str(value)
    return f"`{clean(_PARAMETER.sub(_veil, USERINFO.sub(_hide, text)))}`"


def _hide(match: re.Match[str]) -> str:
    """An address without its password; `${…}` in that place is none."""
    return match[0] if "${" in match[1] else f"{match[0].removesuffix(f'{match[1]}@')}{HIDDEN}@"


def _veil(match: re.Match[str]) -> str:
    """A parameter of an address without its value, where its name says that it is a secret."""
    return f"{match[1]}{HIDDEN}" if SECRET_NAME.search(match[1]) and "${" not in match[2] else match[0]


def clean(text: str) -> str:
    """Text on one line, short, with everything that could steer a terminal made visible."""
    text = " ".join(text.split())
    if len(text) > LONGEST_SHOWN:
        text = text[: LONGEST_SHOWN - 1] + "…"
    return "".join(c if unicodedata.category(c)[0] != "C" else f"\\u{ord(c):04x}" for c in text)


class Findings:
    """Collects what is wrong with one document."""

    def __init__(self, document: Document, text: str) -> None:
        self.root = document.root
        self._text = text
        self.problems = list(document.problems)
        self.suggested = 0

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self._text.removeprefix("\ufeff").split("\n")

    @property
    def failed(self) -> bool:
        """Whether anything found is more than a warning."""
        return any(not problem.warning for problem in self.problems)

    def sorted(self) -> list[Problem]:
        """Each problem once, by its place."""
        return sorted(set(self.problems), key=lambda one: (one.line, one.column, one.message))

    def error(self, path: Path, message: str, key: bool = False) -> None:
        """Something at a path that must be mended; `key` points at the key instead of its value."""
        _, place, key_place = find(self.root, path)
        self.problems.append(Problem(*(key_place if key else place), message))

    def warning(self, path: Path, message: str) -> None:
        """Something at a path that people should know."""
        self.problems.append(Problem(*find(self.root, path)[1], message, warning=True))

    def at(self, line: int, column: int, message: str) -> None:
        """Something at a place that no path leads to, inside a text."""
        self.problems.append(Problem(line, column, message))

    def piece(self, path: Path, message: str, piece: str) -> None:
        """Something about a piece of a scalar's text, which may stand lines below the scalar's beginning."""
        line, column = find(self.root, path)[1]
        start = column - 1
        for offset, text in enumerate(self.lines[line - 1 :]):
            at = text.find(piece, start)
            if at >= 0:
                line, column = line + offset, at + 1
                break
            start = 0
        self.problems.append(Problem(line, column, message))

    def nearest(self, word: Any, choices: Iterable[Any]) -> str:
        """`; did you mean …?` with the closest of the choices, or nothing. A choice from `${…}` is never offered."""
        known = [one for one in choices if isinstance(one, str) and one and not isinstance(one, Substituted)]
        if not isinstance(word, str) or isinstance(word, Substituted) or len(word) > 100:
            return ""
        if len(known) > MANY:
            self.suggested += 1
            if self.suggested > MOST_SUGGESTIONS:
                return ""
            known = [one for one in known if abs(len(one) - len(word)) < 4]
        lower = {one.lower(): one for one in reversed(known)}
        found = get_close_matches(word.lower(), lower, 1, 0.6)
        return f"; did you mean `{clean(lower[found[0]])}`?" if found else ""

    def unknown(self, path: Path, what: str, value: Any, choices: Iterable[Any]) -> None:
        """A reference to something that is not there."""
        self.error(path, f"`{_key(path)}` names an unknown {what}, {shown(value)}{self.nearest(value, choices)}")

    def invalid(self, error: ErrorDetails, model: type[BaseModel]) -> None:
        """One finding of the model."""
        loc = tuple(error["loc"])
        path = tuple(step for step in loc if step != "[key]" and not str(step).startswith("kind="))
        value, key, kind = find(self.root, path)[0], _key(path), error["type"]
        facts = error.get("ctx", {})
        if kind == "missing":
            self.error(path[:-1], f"missing key `{key}`")
        elif kind == "extra_forbidden":
            self.error(path, f"unknown key `{clean(key)}`{self.nearest(key, _keys(model, loc[:-1]))}", key=True)
        elif kind == "union_tag_invalid":
            self.kind(path, value, facts)
            for one in _agreed(_models_at(model, loc), value) if isinstance(value, dict) else ():
                self.invalid({**one, "loc": (*loc, *one["loc"])}, model)
        elif loc[-1:] == ("[key]",):
            self.error(path, f"`{clean(key)}` {self.words(error)}{self.alternative(key, error)}", key=True)
        elif isinstance(value, Withheld):
            self.error(path, f"`{key}` cannot be told while a name it uses is not set; give that name a default")
        else:
            self.wrong(path, value, error)

    def wrong(self, path: Path, value: Any, error: ErrorDetails) -> None:
        """A value that is not what its key takes."""
        name = f"an entry of `{_key(path)}`" if isinstance(path[-1], int) else f"`{_key(path)}`"
        index = error.get("ctx", {}).get("index")
        if isinstance(index, int) and isinstance(value, list):
            path, value = (*path, index), value[index]
        said, semicolon, advice = self.words(error).partition("; ")
        must, whole = said.startswith("must "), isinstance(value, dict | list)
        if whole:
            semicolon = advice = ""
        evident = error["type"] in _EVIDENT or (whole and not must)
        but = "" if evident else f"{', not' if must else ':'} {self.written(path, value)}"
        self.error(path, f"{name} {said}{but}{semicolon}{advice}{self.alternative(value, error)}")

    def written(self, path: Path, value: Any) -> str:
        """As `shown`, with numbers and words the way the file has them: `010`, not 10. A secret stays hidden."""
        key = _key(path)
        keeps = path[:2] in (("monitor", "users"), ("monitor", "tokens")) and len(path) <= 3  # one that stands alone
        secret = keeps or key in SECRET_KEYS or ("headers" in path and SECRET_NAME.search(key)) or self._is_key(path)
        if secret and not isinstance(value, Substituted | dict | list):
            return f"`{HIDDEN}`"
        if isinstance(value, int | float):
            line, column = find(self.root, path)[1]
            if found := _WORD.match(self.lines[line - 1], column - 1):
                return shown(found.group())
        return shown(value)

    def _is_key(self, path: Path) -> bool:
        """Whether it is an address that is all one needs to write to somebody, however badly it is spelled."""
        section = find(self.root, path[:2])[0] if path[:1] == ("channels",) else None
        kind = section.get("kind") if isinstance(section, dict) else None
        return path[:2] == ("monitor", "heartbeat_url") or (
            path[2:3] == ("url",) and kind != "mqtt" and section is not None
        )

    def kind(self, path: Path, value: Any, facts: dict[str, Any]) -> None:
        """A mapping of an unknown kind, or of none."""
        if isinstance(value, dict) and "kind" not in value:
            self.error(path, "missing key `kind`")
            return
        kinds = [one.strip("' ").removeprefix("kind=") for one in str(facts.get("expected_tags", "")).split(",")]
        word = value.get("kind") if isinstance(value, dict) else value
        choices = ", ".join(f"`{one}`" for one in kinds)
        self.error((*path, "kind"), f"`kind` must be one of {choices}, not {shown(word)}{self.nearest(word, kinds)}")

    def words(self, error: ErrorDetails) -> str:
        """The rest of the sentence about a key, without its value."""
        kind, facts = error["type"], error.get("ctx", {})
        if kind == "refused":
            return error["msg"]
        if kind == "string_pattern_mismatch":
            return _PATTERNS.get(facts["pattern"], f"must match {facts['pattern']}")
        if kind == "literal_error":
            choices = _choices(facts)
            return f"must be {choices[0]}" if len(choices) == 1 else f"must be one of {', '.join(choices)}"
        return _SHAPES.get(kind) or " ".join(error["msg"].split())

    def alternative(self, value: Any, error: ErrorDetails) -> str:
        """The nearest right word, where words are what is asked for."""
        facts = error.get("ctx", {})
        if error["type"] == "literal_error":
            choices = [one.strip("`") for one in _choices(facts)]
            return "; write it without quotes" if value in choices else self.nearest(value, choices)
        return self.nearest(value, sorted(available_timezones())) if facts.get("zone") else ""


def _choices(facts: dict[str, Any]) -> list[str]:
    return [f"`{one.strip(chr(39))}`" for one in str(facts["expected"]).replace(" or ", ", ").split(", ")]


def _key(path: Path) -> str:
    """The key a path is about: its last step that is a word."""
    return next((clean(step) for step in reversed(path) if isinstance(step, str)), "the file")


def _agreed(models: Sequence[type[BaseModel]], value: Mapping[str, Any]) -> Iterator[ErrorDetails]:
    """What is wrong with a mapping whatever its kind may be: what every kind says of it."""
    agreed: dict[Any, ErrorDetails] | None = None
    for model in models:
        try:
            model.model_validate(value)
            return
        except ValidationError as error:
            found = {(one["loc"], one["msg"]): one for one in error.errors(include_url=False)}
        agreed = found if agreed is None else {said: agreed[said] for said in agreed if said in found}
        if not agreed:  # ten thousand probes of a wrong kind are not read ten times each
            return
    yield from (agreed or {}).values()


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys the mapping at a place of the model may have."""
    return [field.alias or name for one in _models_at(model, loc) for name, field in one.model_fields.items()]


def _models_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models of the mapping at a place, more than one where its kind is not known."""
    models = [model]
    for step in loc:
        if isinstance(step, str) and step.startswith("kind="):
            kind = step.removeprefix("kind=")
            models = [one for one in models if kind in get_args(one.model_fields["kind"].annotation)]
            continue
        fields = [field for one in models for name, field in one.model_fields.items() if (field.alias or name) == step]
        if fields:
            models = [one for field in fields for one in _models(field.annotation)]
    return models


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and get_origin(annotation) is None:
        yield annotation
        return
    args = get_args(annotation)
    for one in args[:1] if get_origin(annotation) is Annotated else args:
        yield from _models(one)
