"""What an incident says to people: a sentence for everything, with nothing left open."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.codes import CODES
from monitor.core.incident import Evidence, Update
from monitor.core.standing import said
from monitor.core.wording import MOST_NAMED, SEEN, Sentence, names, seen, summary, title, update_body
from tests.stories.beats import START, module, story

KINDS = ("opened", "worsened", "eased", "cause_changed", "member_added", "member_cleared", "reopened", "unmonitored")
TOLD = story(module("checkout", "catalog"), module("catalog")).play(
    {"checkout": "++" + "-" * 6, "catalog": "++" + "-" * 6}
)
(INCIDENT,) = TOLD.incidents
PLATFORM = TOLD.board.platform


def open_places(sentence: object) -> Iterator[str]:
    """Names of places that nothing fills, at any depth."""
    if isinstance(sentence, Sentence):
        for name in re.findall(r"{(\w+)}", sentence.message):
            if name not in sentence.places:
                yield name
            else:
                yield from open_places(sentence.places[name])
    elif isinstance(sentence, tuple):
        for one in sentence:
            yield from open_places(one)


@pytest.mark.parametrize("code", [*CODES, "upstream.signalled:catalog", "upstream.inferred:catalog"])
def test_every_code_has_a_sentence(code: str) -> None:
    """Of its own family, and with its status filled in."""
    sentence = seen(code)
    assert sentence.message in SEEN.values()
    assert any(code.startswith(prefix) and SEEN[prefix] == sentence.message for prefix in SEEN)
    assert not list(open_places(sentence))
    if "{status}" in sentence.message:
        assert re.fullmatch(r"\d{3}", str(sentence.places["status"]))


@pytest.mark.parametrize("kind", [*KINDS, "resolved"])
@pytest.mark.parametrize("status", ["down", "degraded"])
def test_every_entry_of_a_timeline_has_a_sentence(kind: str, status: str) -> None:
    """Nothing is left open in it, also when the module is gone from the configuration."""
    for name in ("catalog", "gone"):
        update = Update(START, INCIDENT.stage, kind, {"module": name, "code": "http.503", "status": status})
        body = update_body(update, INCIDENT, PLATFORM)
        assert body
        assert not list(open_places(body))


def test_an_entry_without_details_speaks_of_the_incident() -> None:
    """The root and its code stand in."""
    assert not list(open_places(update_body(Update(START, INCIDENT.stage, "opened"), INCIDENT, PLATFORM)))


@pytest.mark.parametrize(
    ("about", "own", "seen_as"),
    [
        ("checkout", "content.assertion", seen("content.assertion")),
        (
            "checkout",
            "upstream.signalled:catalog",
            Sentence("its answers name {module}", {"module": names(PLATFORM, ("catalog",))}),
        ),
        ("catalog", "content.assertion", seen("http.503")),
        ("cart", "content.assertion", seen("http.503")),
    ],
)
def test_an_entry_tells_what_was_seen_of_the_module_it_is_about(about: str, own: str, seen_as: Sentence) -> None:
    """The code of the root is not told of a module that suffers from it, unless nothing else is known of that."""
    before, now = (Evidence(START + timedelta(seconds=n), "checkout", "ask", "here", "http.500") for n in (0, 1))
    cause = replace(INCIDENT.cause, evidence=(replace(now, code=own), before))
    incident = said(replace(INCIDENT, cause=cause), START, "opened", about)
    first = update_body(incident.updates[-1], incident, PLATFORM)[0]
    assert (first.places["module"], first.places["seen"]) == (names(PLATFORM, (about,)), seen_as)


def test_title_and_summary_leave_nothing_open() -> None:
    """With a root that is named, and with candidates only."""
    unsure = replace(INCIDENT, cause=replace(INCIDENT.cause, module=None))
    for incident in (INCIDENT, unsure):
        assert not list(open_places(title(incident, PLATFORM)))
        assert summary(incident, PLATFORM)
        assert not list(open_places(summary(incident, PLATFORM)))


def test_a_summary_says_what_fails_then_what_that_touches() -> None:
    """Of trouble that one place sees, that everywhere else all is well."""
    touched = replace(INCIDENT, components=("cart",))
    assert [sentence.message for sentence in summary(touched, PLATFORM)][:3] == [
        "{module}: {seen}.",
        "Also failing because of it: {modules}.",
        "Affected: {components}.",
    ]
    cause = replace(INCIDENT.cause, scope="location", module=None, locations=("x",))
    (only,) = summary(replace(INCIDENT, cause=cause, members=(), components=()), PLATFORM)
    assert only.message.startswith("Only our checks from {locations} see this")
    assert only.places == {"locations": ("x",), "seen": seen("http.503")}


def test_what_the_platform_reports_is_told_as_its_words() -> None:
    """Between quotation marks."""
    (said,) = update_body(Update(START, INCIDENT.stage, "reported", {"report": "Slow"}), INCIDENT, PLATFORM)
    assert (said.message, said.places) == ("The platform reports: “{report}”.", {"report": "Slow"})


def test_of_very_many_names_only_the_first_are_told() -> None:
    """And how many more there are."""
    told = names(PLATFORM, tuple(f"m{number}" for number in range(MOST_NAMED + 3)))
    assert told[:MOST_NAMED] == tuple(f"m{number}" for number in range(MOST_NAMED))
    assert told[MOST_NAMED:] == (Sentence("and more: {count}", {"count": "3"}),)


def test_what_a_person_writes_stands_as_it_is() -> None:
    """Title and entry."""
    words = {"en": "We {are} on it", "pt-BR": "Estamos vendo"}
    assert title(replace(INCIDENT, title=words), PLATFORM).places["text"] == words
    update = Update(START + timedelta(1), INCIDENT.stage, "note", author="person", body=words)
    assert update_body(update, INCIDENT, PLATFORM)[0].places["text"] == words


def test_by_hand_about_what_no_component_is_made_of_the_modules_are_named() -> None:
    """A summary is never empty."""
    by_hand = replace(INCIDENT, by_hand=True, cause=replace(INCIDENT.cause, module=None), components=())
    (affected,) = summary(by_hand, PLATFORM)
    assert affected.places["components"] == names(PLATFORM, tuple(one.module for one in INCIDENT.members))
