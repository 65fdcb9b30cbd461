"""Telling: what the rules of `notify` must agree on, with channels and stores and with themselves."""

from collections.abc import Mapping
from typing import Any

from monitor.config.findings import Findings, shown
from monitor.config.table import Path, Withheld, each

PLACES = {"team": ("channels",), "key_account": ("key_account", "channels")}  # words in `to`, and where they lead


def check(findings: Findings, known: Mapping[str, Mapping[str, Path]]) -> None:
    """Everybody who is told exists, and a digest has nothing to escalate."""
    for path, value in each(findings.root, ("notify", "*", "steps", "*", "to", "*")):
        if isinstance(value, str) and not isinstance(value, Withheld) and value not in known["channel"]:
            _named(findings, path, value, known)
    for path, rule in each(findings.root, ("notify", "*")):
        if isinstance(rule, dict) and rule.get("digest") is not None:
            _digest(findings, path, rule)


def _named(findings: Findings, path: Path, value: str, known: Mapping[str, Mapping[str, Path]]) -> None:
    if value not in PLACES:
        choices = [*known["channel"], *(PLACES if known["store"] else ())]
        findings.unknown(path, "channel", value, choices)
    elif not known["store"]:
        findings.error(path, f"{shown(value)} stands for channels of `stores`, and there are none")
    elif not any(each(findings.root, ("stores", "*", *PLACES[value], "*"))):
        findings.warning(path, f"{shown(value)} tells nobody: no store names {' '.join(reversed(PLACES[value]))}")


def _digest(findings: Findings, path: Path, rule: Mapping[str, Any]) -> None:
    said = "is not for a rule with `digest`, which tells everybody at once when its time has come"
    for key in ("repeat", "hours"):
        if rule.get(key) not in (None, "always"):
            findings.error((*path, key), f"`{key}` {said}", key=True)
    for at, step in each(rule.get("steps"), ("*",), (*path, "steps")):
        for key in ("after", "unless", "hours") if isinstance(step, dict) else ():
            if step.get(key) not in (None, "0s", "always"):
                findings.error((*at, key), f"`{key}` {said}", key=True)
