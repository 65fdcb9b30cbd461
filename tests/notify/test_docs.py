"""`docs/channels.md` says what is so: its examples are used as they stand."""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from monitor.config import Config
from monitor.notify import CHANNELS
from tests.config.support import parsed
from tests.notify.notices import EVENTS, HOSTILE, notice
from tests.notify.receiving import Got, facing

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
NAMES = dict.fromkeys(("HOOK_SECRET", "SMTP_PASSWORD", "PAGERDUTY_KEY", "ZENDESK_TOKEN"), "a-secret-of-somebody") | {
    **dict.fromkeys(("CHAT_URL", "SLACK_WEBHOOK"), "https://hooks.example.com/services/T0/B0/x"),
    **{"TWILIO_ACCOUNT": "AC123", "TWILIO_BASIC": "QUMxMjM6dG9rZW4="},
}


@cache
def examples() -> dict[str, Config]:
    """Each example by the name of its channel."""
    found = [parsed(f"version: 1\n{text}", **NAMES) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    return {name: config for config in found for name in config.sections["channels"]}


def test_every_kind_has_its_chapter_and_an_example() -> None:
    """Which `check` takes without a word."""
    found = examples()
    assert all(config.warnings == () for config in found.values())
    kinds = {config.sections["channels"][name]["kind"] for name, config in found.items()}
    assert kinds == set(CHANNELS) - {"mqtt"}
    assert [kind for kind in kinds if f"\n## {kind}\n" not in PAGE] == []


@pytest.mark.parametrize("secret", ["a secret as it stands", "whsec_c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMgb3Igc28="])
async def test_the_snippet_that_verifies_takes_our_notices_and_no_others(secret: str) -> None:
    """Word for word as people copy it."""
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(snippet, scope)
    async with facing("webhook", secret=secret) as (receiver, hook):
        await hook.deliver(notice())
    got = receiver.last
    assert scope["verify"](secret, got.headers, got.body)
    assert not scope["verify"](secret, got.headers, got.body + b" ")
    assert not scope["verify"]("another", got.headers, got.body)
    assert not scope["verify"](secret, {**got.headers, "webhook-id": "x", "webhook-timestamp": "1"}, got.body)


async def sent_by(example: str, message: Any) -> Got:
    """What leaves by an example, to a gateway on loopback."""
    section = examples()[example].sections["channels"][example]
    keys = {name: section[name] for name in ("headers", "content_type", "template")}
    async with facing("webhook", path=urlsplit(section["url"]).path, **keys) as (receiver, hook):
        await hook.deliver(message)
    return receiver.last


@pytest.mark.parametrize("event", EVENTS)
async def test_a_telephone_gateway_gets_its_form(event: str) -> None:
    """Its account in the path, its login, and three fields."""
    got = await sent_by("phone", notice(event))
    assert got.path == "/2010-04-01/Accounts/AC123/Messages.json"
    assert got.headers["Authorization"] == "Basic QUMxMjM6dG9rZW4="
    assert got.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(got.body.decode(), strict_parsing=True) == {
        "To": ["+5511999990000"],
        "From": ["+15005550006"],
        "Body": [f"{event}: Checkout: errors (status 503)"],
    }


async def test_a_call_reads_the_subject_out_whatever_stands_in_it() -> None:
    """As one sentence of an XML that a title cannot break."""
    for message, words in ((notice(), "Checkout: errors (status 503)"), (notice(text=HOSTILE), "<script>")):
        form = parse_qs((await sent_by("call", message)).body.decode(), strict_parsing=True)
        (said,) = ElementTree.fromstring(form["Twiml"][0])
        assert (said.tag, said.get("language")) == ("Say", "en")
        assert (said.text or "").startswith(words)


async def test_a_chat_gets_its_json_for_every_event() -> None:
    """With and without an incident."""
    for event in EVENTS:
        got = await sent_by("chat", notice(event))
        module = None if event in ("test", "summary") else "checkout"
        assert got.json == {"text": notice().subject, "module": module, "link": notice().payload["links"]["page"]}
