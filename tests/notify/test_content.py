"""What channels read from a notice, whatever is in it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.notify.alertmanager import labels_of
from monitor.notify.channel import Message
from monitor.notify.content import body_of, key_of, links_of, module_of, priority_of, rest_of, subject_of
from monitor.notify.pagerduty import event
from monitor.notify.slack import posted
from monitor.notify.statuspage import body
from tests.notify.notices import notice
from tests.notify.receiving import check

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
INCIDENT = st.fixed_dictionaries(
    {},
    optional={
        name: JSON
        for name in ("id", "title", "cause", "modules", "updates", "priority", "status", "impact", "started_at")
    },
)


@settings(max_examples=30)
@given(st.none() | INCIDENT | JSON, st.text(max_size=50), st.text(max_size=50), JSON)
def test_no_notice_is_too_odd_for_a_channel(incident: Any, subject: str, text: str, links: Any) -> None:
    """Whatever is missing or of another kind, something leaves that its service takes."""
    payload = {"event_id": "e", "dedup_key": "d", "incident": incident, "links": links, "at": "2026-11-23T12:10:00Z"}
    message = Message(payload, "opened", "en", subject, text)
    check("slack", posted(message))
    check("pagerduty", {"routing_key": "0" * 32, **event(message)})
    assert body(message)["incident"]["incident_updates"]
    assert labels_of(message)["alertname"] == "VtexIncident"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.com/",
        "https://example.com/ x",
        'https://example.com/"onclick=',
        "https://example.com/<b>",
        "https://example.com/|x",
        "https://example.com/\u202e",
        "https://example.com/\n",
        "https://example.com/" + "x" * 3000,
        None,
        7,
    ],
)
def test_only_plain_addresses_of_the_web_become_links(url: object) -> None:
    """A link ends where its reader thinks it ends, in Slack, in HTML and in a text."""
    assert links_of(notice(links={"page": url})) == {}


def test_a_notice_without_an_incident_has_a_key_and_the_lowest_priority() -> None:
    """A test or a digest."""
    message = notice("test")
    assert (module_of(message), priority_of(message), key_of(message)) == (None, "low", "monitor:test")


def test_nothing_is_ever_empty() -> None:
    """Services refuse an empty subject or text."""
    message = Message({}, "test", "en", " \u200b ", "\x00")
    assert subject_of(message, 100) == body_of(message, 100) == "Status notice"


@pytest.mark.parametrize(
    ("text", "rest"),
    [("S\n\nmore", "more"), ("S", "S"), ("other\nmore", "other\nmore"), ("S\n\n", "S"), ("S \r\nmore", "more")],
)
def test_a_first_line_that_only_repeats_the_subject_is_left_out_below_it(text: str, rest: str) -> None:
    """The same sentence twice is read as two."""
    assert rest_of(Message({}, "opened", "en", "S", text), 100) == rest
