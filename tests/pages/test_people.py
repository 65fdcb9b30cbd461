"""What people wrote, as readers see it; and what readers never see: drafts and names."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.wording import update_body
from monitor.pages.facts import Facts
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.site import site_files
from monitor.pages.view import UpdateView, When
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME, loaded
from tests.pages.pictures import NOW, SECRET

SPOKEN = pictures.spoken()
OURS = next(one for one in SPOKEN.history.incidents if one.summary)
OVER = next(one for one in SPOKEN.history.incidents if one.stage == "postmortem")
HAND = pictures.by_hand()


def whole(seen: Picture) -> dict[str, bytes]:
    return site_files(seen, loaded(), THEME)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return whole(SPOKEN)


def incident_page(files: dict[str, bytes], one: Incident, language: str = "en/") -> str:
    return files[f"{language}incidents/{one.id}/index.html"].decode()


def in_v2(files: dict[str, bytes], one: Incident) -> dict[str, Any]:
    incidents = json.loads(files["api/v2/incidents.json"])["incidents"]
    found: dict[str, Any] = next(told for told in incidents if told["id"] == one.id)
    return found


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


# -- drafts -----------------------------------------------------------------------------------------------------------


def with_draft(**more: object) -> Picture:
    """Promotions fail and drag checkout along, and nobody has published it."""
    seen = pictures.troubled()
    first, *others = seen.history.incidents
    draft = replace(first, published_at=None, title={"en": SECRET}, **more)  # type: ignore[arg-type]
    board = replace(seen.board, incidents={draft.id: draft})
    return replace(seen, board=board, history=replace(seen.history, incidents=(draft, *others)))


def test_a_draft_is_on_no_surface_at_all() -> None:
    """Neither its page nor its id, title or impact, in any file; statuses stay as they are measured."""
    seen = with_draft(impact="critical")
    id, made = pictures.troubled().history.incidents[0].id, whole(seen)
    assert not [name for name, content in made.items() if id in name or id.encode() in content]
    assert not [name for name, content in made.items() if SECRET.encode() in content]
    status = json.loads(made["api/v1/status.json"])
    promotions = next(one for one in status["modules"] if one["id"] == "promotions")
    assert (promotions["status"], promotions["incident"]) == ("down", None)
    assert status["overall"]["indicator"] == "major", "what is measured, not the impact of what nobody sees"
    assert json.loads(made["api/v2/incidents/unresolved.json"])["incidents"] == []


def test_pages_may_know_that_something_fails_whose_incident_is_not_public() -> None:
    assert with_draft().withheld == {"promotions", "checkout", "subscriptions"}
    assert replace(with_draft(), now=NOW + timedelta(minutes=1)).withheld
    assert pictures.troubled().withheld == frozenset()
    assert pictures.spoken().withheld == frozenset()


def test_what_ended_as_a_draft_is_in_no_history() -> None:
    seen = pictures.green()
    drafts = tuple(replace(one, published_at=None) for one in seen.history.incidents)
    made = whole(replace(seen, history=replace(seen.history, incidents=drafts)))
    assert not [name for name in made if "incidents/" in name and "unresolved" not in name]
    assert not [one.id for one in drafts for content in made.values() if one.id.encode() in content]


def test_the_moment_of_publication_is_news() -> None:
    """Whoever asks whether anything has changed is told so."""
    late = replace(pictures.troubled().history.incidents[0], published_at=NOW)
    seen = replace(pictures.troubled(), history=History(incidents=(late,)), board=replace(SPOKEN.board, incidents={}))
    incident = json.loads(whole(seen)["api/v2/incidents.json"])["incidents"][0]
    assert incident["updated_at"] == "2026-11-23T15:15:20.000Z"
    assert incident["created_at"] < incident["updated_at"]


# -- what people wrote ------------------------------------------------------------------------------------------------


def test_no_name_and_no_earlier_text_reaches_a_reader(files: dict[str, bytes]) -> None:
    """Who did what, by which request, and what stood there before, is for operators."""
    assert not [name for name, content in files.items() if SECRET.encode() in content]
    authors = {u["author"] for one in json.loads(files["api/v1/incidents.json"])["incidents"] for u in one["updates"]}
    assert authors == {"monitor", "person"}


def test_a_persons_text_keeps_its_paragraphs_and_is_escaped(files: dict[str, bytes]) -> None:
    page = incident_page(files, OURS)
    assert "<p>We look into it.<br>Soon more.</p>" in page
    assert "<p>&lt;b&gt;Not bold&lt;/b&gt;</p>" in page
    assert "<p>Estamos olhando.</p>\n<p>Logo mais.</p>" in incident_page(files, OURS, "")


def test_a_persons_words_stand_in_place_of_ours(files: dict[str, bytes]) -> None:
    """Headline and reason on every surface, the generated reason on none."""
    page = text_of(incident_page(files, OURS))
    assert "Promotions do not apply" in page
    assert "A disk is full." in page
    assert "Probable cause" not in page
    assert "Promotions do not apply" in files["en/history.atom"].decode()
    told = json.loads(files[f"api/v1/incidents/{OURS.id}.json"])
    assert told["cause"]["summary"] == {"en": "A disk is full.", "pt-BR": "Um disco encheu.", "es": "A disk is full."}
    assert in_v2(files, OURS)["name"] == "Promotions do not apply"


def test_a_corrected_text_says_so_and_leaves_the_other_languages_alone(files: dict[str, bytes]) -> None:
    """Only English was corrected: there it is a person's, elsewhere still ours."""
    assert "It is the promotions." in incident_page(files, OURS)
    assert "edited" in text_of(incident_page(files, OURS))
    assert "Promoções e impostos: sobrecarga" in incident_page(files, OURS, "")
    told = in_v2(files, OURS)["incident_updates"][-1]
    assert (told["body"], told["updated_at"]) == ("It is the promotions.", "2026-11-23T15:12:20.000Z")
    assert told["display_at"] == told["created_at"] < told["updated_at"]


def test_the_postmortem_has_a_heading_of_its_own_and_is_not_told_twice(files: dict[str, bytes]) -> None:
    page = incident_page(files, OVER)
    assert '<h2 id="postmortem">Postmortem</h2>' in page
    assert page.count("A disk was full.<br>It is not.") == 1
    assert '<h2 id="postmortem">' not in incident_page(files, OURS)
    told = next(one for one in json.loads(files["api/v2/incidents.json"])["incidents"] if one["id"] == OVER.id)
    assert (told["status"], told["incident_updates"][0]["status"]) == ("postmortem", "postmortem")
    assert told["resolved_at"] is not None
    assert told["incident_updates"][0]["body"].startswith("A disk was full.<br />It is not.<br /><br />Long")
    assert "A disk was full." in files["en/history.rss"].decode()


def test_what_was_opened_by_hand_says_no_more_than_its_person(files: dict[str, bytes]) -> None:
    """No code, no guess, no status that was not measured; its impact lifts the verdict."""
    page = incident_page(files, HAND)
    assert "<code>" not in page
    assert "The reason is not known yet." in page
    told = json.loads(files[f"api/v1/incidents/{HAND.id}.json"])
    assert (told["origin"], told["cause"]["code"], told["cause"]["module"]) == ("person", None, None)
    assert told["cause"]["summary"]["en"] == "Affected: Customer data and E-mail to shoppers."
    v2 = next(one for one in json.loads(files["api/v2/incidents.json"])["incidents"] if one["id"] == HAND.id)
    assert [one["name"] for one in v2["components"]] == ["Customer data", "E-mail to shoppers"]
    assert v2["incident_updates"][0]["affected_components"] is None
    alone = pictures.picture([HAND])
    assert alone.overall() == ("minor", "Minor Service Outage")


def test_the_monitors_own_incident_says_more_of_a_module() -> None:
    """Where a person opened one about the same module, the module is told as part of what was measured."""
    first = pictures.troubled().history.incidents[0]
    hand = replace(HAND, members=(replace(HAND.members[0], module="promotions"),), impact="critical")
    facts = Facts(pictures.picture([first, hand]))
    struck = facts.modules["promotions"].struck
    assert struck is not None
    assert (struck.incident, facts.own_incident_of("promotions")) == (first.id, first.id)


def test_a_correction_in_one_language_is_said_in_that_language_only() -> None:
    """Of several sentences of ours, all make room."""
    update = OURS.updates[0]
    said = loaded().every(update_body(update, OURS, SPOKEN.board.platform))
    assert set(said) == set(LANGUAGES)
    assert said["en"] == "It is the promotions."
    assert said["es"].startswith("Promociones e impuestos: ")


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("one", (("one",),)),
        ("one\ntwo", (("one", "two"),)),
        ("one\n\ntwo", (("one",), ("two",))),
        ("one\n \n\n\n two \nthree", (("one",), ("two", "three"))),
        ("", ()),
    ],
)
def test_blank_lines_part_paragraphs(text: str, paragraphs: tuple[tuple[str, ...], ...]) -> None:
    assert UpdateView("", When("", ""), text).paragraphs == paragraphs


def test_a_confirmed_cause_is_told_without_how_sure_we_are() -> None:
    """A person knows."""
    shared = {"kind": "host", "value": "x", "modules": ["promotions"]}
    cause = replace(OURS.cause, scope="shared", module=None, shared=shared, state="confirmed")
    confirmed = replace(OURS, cause=cause, summary=None)
    history = replace(SPOKEN.history, incidents=tuple(i if i != OURS else confirmed for i in SPOKEN.history.incidents))
    board = replace(SPOKEN.board, incidents={})
    lens = Lens(Facts(replace(SPOKEN, history=history, board=board)), loaded(), "en")
    assert lens.incident(confirmed).confidence == ""
    assert "Confirmed cause" in lens.incident(confirmed).why
