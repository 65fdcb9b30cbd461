"""Exposition: how samples are written, in the text format and in OpenMetrics.

prometheus_client writes what concerns the monitor as a whole. What exists once per probe or module is written here,
once when it changes and not at every scrape: ten thousand probes are joined in a tenth of a second instead of ten.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 200  # characters of a label value
LONGEST_EXEMPLAR = 128  # characters of all names and values of an exemplar's labels (OpenMetrics 1.0)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name, its type (`gauge counter histogram`) and what it tells. Counters are named with `_total`."""

    name: str
    type: str
    help: str


def head(family: Family, openmetrics: bool) -> str:
    """The two lines that stand before the samples of a family."""
    name = family.name.removesuffix("_total") if openmetrics and family.type == "counter" else family.name
    return f"# HELP {name} {family.help}\n# TYPE {name} {family.type}\n"


@lru_cache(maxsize=65536)
def clean(value: str) -> str:
    """A label value as it may be published: one line, no control characters, of bounded length, escaped."""
    value = _CONTROLS.sub(" ", value)[:LONGEST]
    return value.replace("\\", "\\\\").replace('"', '\\"')


def labels(pairs: Iterable[tuple[str, str]]) -> str:
    """`module="cart",probe="page"`, without the braces."""
    return ",".join(f'{name}="{clean(value)}"' for name, value in pairs)


def number(value: float) -> str:
    """Integers without a point, everything else as short as it is exact."""
    whole = int(value)
    return str(whole) if value == whole and -1e15 < whole < 1e15 else repr(value)


def line(name: str, labels: str, value: float) -> str:
    """One sample."""
    return f"{name}{{{labels}}} {number(value)}\n" if labels else f"{name} {number(value)}\n"


def exemplar(pairs: Iterable[tuple[str, str | None]], value: float, at: float) -> str:
    """What stands behind a sample of OpenMetrics: one run that was counted in it, at a Unix time. Labels without a
    value are left out, and so is what would not fit any more."""
    kept, left = [], LONGEST_EXEMPLAR
    for name, said in pairs:
        if said and len(name) + len(said) <= left:
            kept.append((name, said))
            left -= len(name) + len(said)
    return f" # {{{labels(kept)}}} {number(value)} {at:.3f}"


def block(family: Family, openmetrics: bool, samples: Iterable[bytes]) -> bytes:
    """A family with its samples; nothing at all when it has none."""
    text = b"".join(samples)
    return head(family, openmetrics).encode() + text if text else b""


def encoded(text: str) -> bytes:
    """What is sent of a text."""
    return text.encode("utf-8", "replace")
