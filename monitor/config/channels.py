"""Channels: what of a channel no single field can know: that its template, its secret and its service can be used."""

import base64
import logging
from collections.abc import Mapping
from typing import Any

from monitor.config.findings import Findings
from monitor.config.references import is_loopback
from monitor.config.table import Path, Substituted, Withheld, each, find
from monitor.template import Fault, faults

EXTRA = "pip install 'vtex-monitor[apprise]'"


def check(findings: Findings) -> None:
    """Tells what is wrong with the channels of a document."""
    for path, channel in each(findings.root, ("channels", "*")):
        if not isinstance(channel, dict):
            continue
        match channel.get("kind"):
            case "webhook":
                _webhook(findings, path, channel)
            case "email":
                _email(findings, path, channel)
            case "apprise":
                _apprise(findings, path, channel)


def _webhook(findings: Findings, path: Path, channel: Mapping[str, Any]) -> None:
    template, secret = _written(channel.get("template")), _written(channel.get("secret"))
    if template is not None:
        if channel.get("body") is not None:
            findings.error((*path, "template"), "`template` excludes `body`", key=True)
        for fault in faults(template):
            _fault(findings, (*path, "template"), fault)
    if secret is not None and secret.startswith("whsec_"):
        try:
            base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            findings.error((*path, "secret"), "`secret` begins with whsec_ and does not go on in base64")


def _fault(findings: Findings, path: Path, fault: Fault) -> None:
    """A mistake in a template, in its line of the file. What came from `${…}` is not shown."""
    value, place = find(findings.root, path)[:2]
    if isinstance(value, Substituted):
        findings.error(path, f"`template` has a mistake in its line {fault.line}")
        return
    block = findings.lines[place.line - 1][place.column - 1 :].startswith(("|", ">"))
    line = min(place.line + fault.line - (0 if block else 1), len(findings.lines))
    text = findings.lines[line - 1]
    start = place.column - 1 if line == place.line else len(text) - len(text.lstrip())
    found = text.find(fault.near, start) if fault.near else -1
    findings.at(line, (found if found >= 0 else start) + 1, f"`template` is wrong: {fault.message}")


def _email(findings: Findings, path: Path, channel: Mapping[str, Any]) -> None:
    host = (_written(channel.get("server")) or "").rpartition(":")[0].strip("[]")
    if channel.get("security") == "none" and channel.get("password") and host and not is_loopback(host):
        findings.warning((*path, "security"), "`security` none sends the password to another machine in plain")


def _apprise(findings: Findings, path: Path, channel: Mapping[str, Any]) -> None:
    """Apprise is an extra, and it alone knows its addresses; none is shown, for most hold a key."""
    try:
        import apprise
    except ImportError:
        findings.error((*path, "kind"), f"`kind` apprise needs a package that is not installed: {EXTRA}")
        return
    quiet = logging.getLogger("apprise")
    was, quiet.disabled = quiet.disabled, True  # it tells whole addresses
    try:
        urls = channel.get("url")
        for index, url in enumerate(urls if isinstance(urls, list) else [urls]):
            if (text := _written(url)) is not None and apprise.Apprise.instantiate(text) is None:
                at = (*path, "url", index) if isinstance(urls, list) else (*path, "url")
                findings.error(at, "`url` is no address that Apprise knows")
    finally:
        quiet.disabled = was


def _written(value: Any) -> str | None:
    """A text that is there and known."""
    return str(value) if isinstance(value, str) and value and not isinstance(value, Withheld) else None
