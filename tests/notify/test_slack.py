"""Slack: blocks within its limits, in which nothing from outside acts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.channel import DeliveryFailed
from monitor.notify.slack import fitted, posted
from tests.notify.notices import EVENTS, HOSTILE, LINKS, notice
from tests.notify.receiving import check, facing, says


def texts(value: Any) -> list[str]:
    """What Slack reads."""
    return [value["text"], *(block["text"]["text"] for block in value["blocks"])]


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_is_a_message_of_their_form(event: str) -> None:
    """With a sign for what kind of news it is, and our addresses to click."""
    async with facing("slack", says(200, "ok"), "/services/T0/B0/x") as (receiver, slack):
        assert await slack.deliver(notice(event)) is None
    check("slack", receiver.last.json)
    header, text = receiver.last.json["blocks"][:2]
    sign = {"resolved": ":large_green_circle:", "opened": ":red_circle:", "acknowledged": ":large_yellow_circle:"}
    assert header["text"]["text"].startswith(sign.get(event, ":"))
    assert f"<{LINKS['page']}>" in text["text"]["text"]
    assert "<https://ops.example.com/acknowledge/t0ken?a=1&amp;b=2>" in "\n".join(texts(receiver.last.json))


def test_hostile_text_mentions_nobody_and_stays_within_the_limits() -> None:
    """No `<!channel>`, no link that is not ours, no entity cut in half."""
    value = posted(notice(text=HOSTILE))
    check("slack", value)
    ours = {f"<{url}>".replace("&", "&amp;") for url in LINKS.values() if url}
    for text in texts(value):
        for url in ours:
            text = text.replace(url, "")
        assert "<" not in text
        assert ">" not in text
        assert "\u202e" not in text
        assert "\x00" not in text


@given(st.text(alphabet="<>&a", max_size=200), st.integers(1, 60))
def test_clipping_never_cuts_an_escape(text: str, limit: int) -> None:
    """What is left is at most the limit, and every `&` of it begins an escape."""
    found = fitted(text, max(limit, 8))
    assert len(found) <= max(limit, 8)
    assert found.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0


async def test_a_page_instead_of_ok_is_no_delivery() -> None:
    """A portal that answers 200 to everything must not swallow a notice."""
    async with facing("slack", says(200, "<!doctype html><p>Sign in")) as (_, slack):
        with pytest.raises(DeliveryFailed) as caught:
            await slack.deliver(notice())
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("status", "text", "permanent"),
    [
        (429, "rate_limited", False),
        (500, "rollup_error", False),
        (403, "action_prohibited", True),
        (404, "no_service", True),
        (410, "channel_is_archived", True),
        (400, "invalid_blocks", True),
    ],
)
async def test_what_slack_says_of_a_refusal_is_told(status: int, text: str, permanent: bool) -> None:
    """In its own word, by which an operator finds the way out."""
    async with facing("slack", says(status, text, Retry_After="1"), "/services/T0/B0/xoxsecretkey") as (_, slack):
        with pytest.raises(DeliveryFailed, match=text) as caught:
            await slack.deliver(notice())
    assert caught.value.permanent is permanent
    assert (caught.value.retry_after is not None) is not permanent
    assert "xoxsecretkey" not in str(caught.value)
