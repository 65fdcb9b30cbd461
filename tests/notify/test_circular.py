"""What leaves for subscribers, as mail programs and receivers read it."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from monitor.core.announcement import components_of
from monitor.core.bulletin import Edition
from monitor.core.incident import Incident, Stage, Update, with_update
from monitor.core.maintenance import Window, announced
from monitor.core.module import Component, Group
from monitor.core.site import Site
from monitor.core.subscriber import Subscriber
from monitor.notify.circular import (
    Bureau,
    call,
    challenge,
    is_answer,
    letter,
    message_of,
    question,
)
from monitor.pages.translate import Speech
from monitor.web.ticket import Tickets
from tests.store.past import NOON, after, incident
from tests.stories.beats import module, platform

SITE = Site("Loja ã Status", "https://status.example.com", ("pt-BR", "en", "es"))
SPEECH = Speech.load(SITE.languages, Path(__file__).parents[2] / "site")
SHOP = platform(module("catalog"), module("checkout"))
BUREAU = Bureau(SITE, SHOP, SPEECH, Tickets(b"x" * 32, "https://subscribe.example.com/some/where"))
ANA = Subscriber("A" * 22, "email", "ana@example.com", "en", NOON, confirmed_at=NOON)
SECRET = "10.0.0.7 said: hush"
BROKEN = with_update(
    replace(incident("checkout"), published_at=NOON, updates=()), Update(NOON, Stage.IDENTIFIED, "opened", {})
)
OPENED = Edition("incidents", BROKEN.id, 0, 1, "opened", 7, 7, over=False)


def sent(one: Subscriber, edition: Edition = OPENED, subject: object = BROKEN) -> tuple[EmailMessage, bytes]:
    """The mail as a mail program reads it, and the bytes that leave."""
    written = letter(message_of(edition, subject, one, BUREAU, after(60)), one, "S <s@example.com>", SITE, after(60))  # type: ignore[arg-type]
    raw = written.as_bytes()
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read, raw


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """One of its parts."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r", "")


@pytest.mark.parametrize("language", SITE.languages)
def test_the_subject_says_module_cause_and_impact_and_the_text_says_the_rest(language: str) -> None:
    """In the reader's language, in both parts, with the page of that language and the way out."""
    mail, raw = sent(replace(ANA, language=language))
    subject = mail["Subject"]
    assert "Checkout" in subject
    assert "(status 503)" in subject or "(estado 503)" in subject
    assert SPEECH.gettext(language, "Major impact") in subject or SPEECH.gettext(language, "Minor impact") in subject
    assert "  " not in subject
    way = "" if language == "pt-BR" else f"{language}/"
    for part in (text_of(mail), text_of(mail, "html")):
        assert f"https://status.example.com/{way}incidents/{BROKEN.id}/" in part
        assert BUREAU.tickets.leave_url(ANA.id) in part
    assert text_of(mail).startswith(" ".join(subject.split()[:2]))
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


def test_a_mail_program_can_end_the_subscription_with_one_click() -> None:
    """The address stands in its header whole (RFC 8058), also where it is longer than a line."""
    mail, raw = sent(ANA)
    url = BUREAU.tickets.leave_url(ANA.id)
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["To"] == "ana@example.com"


def test_every_subscriber_gets_a_message_of_their_own_and_the_same_one_again() -> None:
    """Mail programs show a repeat once, and all of an incident as one conversation."""
    first, other = sent(ANA)[0], sent(replace(ANA, id="B" * 22))[0]
    assert first["Message-ID"] == sent(replace(ANA, attempts=3))[0]["Message-ID"] != other["Message-ID"]
    later = sent(ANA, replace(OPENED, step=2, event="updated"))[0]
    assert later["Message-ID"] != first["Message-ID"]
    assert later["References"] == first["References"]


def test_only_what_is_public_is_told() -> None:
    """Neither details of the evidence, nor who acknowledged it, nor names of people, nor in the body of a call."""
    inside = replace(BROKEN.cause, evidence=tuple(replace(e, detail=SECRET) for e in BROKEN.cause.evidence))
    told = replace(BROKEN, cause=inside, acknowledged_at=after(5))
    mail, raw = sent(ANA, subject=told)
    body, _ = call(message_of(OPENED, told, ANA, BUREAU, after(60)), ANA, BUREAU)
    assert SECRET not in raw.decode() + text_of(mail) + body.decode()
    assert not {"acknowledged_at", "acts", "notices"} & set(json.loads(body)["incident"])


def test_what_people_wrote_since_the_last_message_stands_first() -> None:
    """In the reader's language; what was told before is not told again."""
    said = with_update(BROKEN, Update(after(9), Stage.IDENTIFIED, "said", {}, "person", {"en": "We swap the disk."}))
    more = with_update(said, Update(after(99), Stage.IDENTIFIED, "said", {}, "person", {"en": "Half is done."}))
    text = text_of(sent(ANA, Edition("incidents", BROKEN.id, 2, 3, "updated", 8, 8, over=False), more)[0])
    assert "Half is done." in text.split("\n\n")[1]
    assert "We swap the disk." not in text


OVER = replace(BROKEN, resolved_at=after(3600))


@pytest.mark.parametrize(
    ("event", "subject", "first"),
    [
        ("opened", BROKEN, "Checkout: {seen} · Major impact · since {since}"),
        ("opened", replace(BROKEN, impact="critical"), "Checkout: {seen} · Critical impact · since {since}"),
        ("updated", BROKEN, "Update: Checkout: {seen} · Major impact · since {since}"),
        ("updated", OVER, "Update: Checkout: {seen} · it is over, lasted 1 h"),
        ("resolved", OVER, "Resolved: Checkout: {seen} · lasted 1 h"),
        ("summary", OVER, "Over already: Checkout: {seen} · Major impact · since {since}, lasted 1 h"),
        ("resolved", replace(OVER, merged_into="other"), "Goes on with another incident: Checkout: {seen}"),
    ],
)
def test_the_first_line_says_what_has_become_of_it(event: str, subject: Incident, first: str) -> None:
    """How bad it is while it goes on, and how long it took once it is over."""
    edition = Edition("incidents", BROKEN.id, 0, 1, event, 7, 7, over=not subject.is_open)
    said = message_of(edition, subject, ANA, BUREAU, after(7200)).subject
    places = {"seen": "overload or service switched off (status 503)", "since": "Nov 23, 2026, 09:00 UTC-3"}
    assert " ".join(said.split()) == first.format(**places)


@pytest.mark.parametrize(
    ("event", "first"),
    [
        ("scheduled", "Planned work: New database · {span}"),
        *((event, "Update of planned work: New database · {span}") for event in ("replanned", "extended", "verifying")),
        ("begun", "Planned work has begun: New database · {span}"),
        ("completed", "Planned work is over: New database"),
        ("cancelled", "Planned work is called off: New database · {span}"),
    ],
)
def test_the_first_line_of_planned_work_says_how_far_it_is(event: str, first: str) -> None:
    """And from when till when it takes, as long as that is to come."""
    window = Window("w", {"en": "New database"}, after(3600), after(7200))
    work = announced(window, window.begins, NOON, "person")
    edition = Edition("maintenance", work.id, 0, 1, event, 3, 3, over=False)
    said = message_of(edition, work, ANA, BUREAU, NOON).subject
    assert " ".join(said.split()) == first.format(span="Nov 23, 2026, 10:00 – 11:00 UTC-3")


@pytest.mark.parametrize(
    ("kind", "author", "detail", "told"),
    [
        ("said", "person", {}, True),
        ("merged", "monitor", {"into": "x"}, True),
        ("outlived", "monitor", {"modules": ["catalog"]}, True),
        ("worsened", "monitor", {"module": "catalog"}, False),
    ],
)
def test_of_what_the_monitor_noted_only_what_became_of_an_incident_stands_first(
    kind: str, author: str, detail: dict[str, Any], told: bool
) -> None:
    """The rest is in the cause and in what is affected; what a person wrote always does."""
    one = with_update(BROKEN, Update(after(9), Stage.IDENTIFIED, kind, detail, author, {"en": "Words."}))
    body = message_of(replace(OPENED, step=2, event="updated", since=1), one, ANA, BUREAU, after(60)).body
    without = message_of(replace(OPENED, step=2, event="updated", since=2), one, ANA, BUREAU, after(60)).body
    assert (body != without) is told


def test_planned_work_says_whom_it_affects() -> None:
    """The components that it touches, where there are any; and what a person wrote last."""
    parts = (Component("cart", {"en": "Cart"}, ("checkout",)), Component("find", {"en": "Search"}, ("catalog",)))
    bureau = replace(BUREAU, platform=replace(SHOP, groups=(Group("shop", {"en": "Shop"}, parts),)))
    window = Window("w", {"en": "New database"}, after(3600), after(7200))
    edition = Edition("maintenance", "m", 0, 1, "scheduled", 3, 3, over=False)
    for modules, affected in ((("checkout",), "Affected: Cart."), ((), "Affected: Cart and Search.")):
        work = announced(replace(window, modules=modules), window.begins, NOON, "person")
        assert affected in message_of(edition, work, ANA, bureau, NOON).body.splitlines()
        assert "Affected" not in message_of(edition, work, ANA, BUREAU, NOON).body
        said = replace(work, updates=(*work.updates, replace(work.updates[-1], body={"en": "An hour more."})))
        assert "An hour more." in message_of(edition, said, ANA, bureau, NOON).body.splitlines()


def test_planned_work_says_when_and_what() -> None:
    """And a Statuspage has it as an incident with a plan."""
    window = Window("w", {"en": "New database"}, after(3600), after(7200), message={"en": "Carts are read-only."})
    work = announced(window, window.begins, NOON, "person")
    edition = Edition("maintenance", work.id, 0, 1, "scheduled", 3, 3, over=False)
    mail, _ = sent(ANA, edition, work)
    assert mail["Subject"].startswith("Planned work: New database · Nov ")
    assert "Carts are read-only." in text_of(mail)
    assert components_of(work, SHOP) == tuple(SHOP.components)
    message = message_of(edition, work, ANA, BUREAU, NOON)
    own = json.loads(call(message, ANA, BUREAU)[0])
    assert (own["incident"], own["maintenance"]["id"], own["event"]) == (None, work.id, "scheduled")
    theirs = json.loads(call(message, replace(ANA, format="statuspage"), BUREAU)[0])
    assert theirs["incident"]["impact"] == "maintenance"
    assert theirs["incident"]["status"] == "scheduled"
    assert theirs["incident"]["scheduled_for"] == own["maintenance"]["planned_from"]


def test_a_call_is_signed_with_a_key_of_its_receiver() -> None:
    """As Standard Webhooks has it; a Statuspage body says as well how to end it."""
    one = replace(ANA, kind="webhook", address="https://hook.example.com/", format="statuspage")
    body, headers = call(message_of(OPENED, BROKEN, one, BUREAU, after(60)), one, BUREAU)
    secret = challenge(one, BUREAU)[1]["secret"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
    assert headers["webhook-id"] == headers["Idempotency-Key"] == f"{BROKEN.id}-1"
    assert json.loads(body)["meta"]["unsubscribe"] == BUREAU.tickets.leave_url(one.id)
    assert secret != challenge(replace(one, id="B" * 22), BUREAU)[1]["secret"]


@pytest.mark.parametrize(
    ("answer", "right"),
    [("{word}", True), (' {word}\n', True), ('{"challenge": "{word}"}', True), ("ok", False), ("", False),
     ('{"challenge": null}', False), ("[" * 5000, False), ('["{word}"]', False)],
)  # fmt: skip
def test_a_receiver_confirms_with_the_word_it_was_given(answer: str, right: bool) -> None:
    """Alone or in JSON; whoever only says that all is well has not read it."""
    word = challenge(ANA, BUREAU)[0]
    assert is_answer(answer.replace("{word}", word), word) is right


def test_the_question_holds_nothing_of_whoever_asked() -> None:
    """An address, the site and the link: nobody can have us send words of theirs to somebody else."""
    message = question(ANA, BUREAU)
    mail = letter(message, ANA, "S <s@example.com>", SITE, NOON + timedelta(seconds=1))
    assert mail["List-Unsubscribe"] is None
    assert BUREAU.tickets.confirm_url(ANA.id) in message.body
    assert "ana@example.com" not in message.body
