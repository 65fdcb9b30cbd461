"""What a channel is given to send: a headline, the cause in plain words, and where to look and what to do."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from monitor.core.incident import Incident
from monitor.core.module import Component, Group
from monitor.core.outbox import Letter, Sending
from monitor.core.site import Site
from monitor.notify.channel import Message
from monitor.notify.payload import Desk, message_of
from monitor.pages.translate import Speech
from tests.store.past import after, incident
from tests.stories.beats import module, platform

SPEECH = Speech.load(("en", "pt-BR"), Path(__file__).parents[2] / "site")
OPEN = incident("checkout")


def link(incident: str, channel: str, at: datetime) -> str:
    return f"https://ops.example/acknowledge/{incident}-{channel}-{at:%H%M%S}"


def written(one: Incident, event: str) -> Message:
    site = Site(name="Shop", url="https://status.example", languages=("en", "pt-BR"))
    desk = Desk(site, platform(module("checkout")), SPEECH, "https://ops.example", link)
    sending = Sending(Letter(one.id, 1, "pager", event, "first", after(2)), event)
    return message_of(sending, one, "en", desk, after(60))


def test_a_text_says_nothing_twice() -> None:
    """The subject is its first line; the cause stands in its second part once; addresses come last."""
    message = written(OPEN, "opened")
    first, cause, addresses = message.body.split("\n\n")
    assert " ".join(first.split()) == message.subject
    assert cause.count("Checkout:") <= 1
    assert len(set(cause.split(". "))) == len(cause.split(". "))
    assert addresses.splitlines()[-1] == link(OPEN.id, "pager", after(60))


def test_who_is_told_gets_a_link_to_say_mine_while_there_is_something_to_say_it_of() -> None:
    """Made for this channel and for when it leaves."""
    over = replace(OPEN, resolved_at=after(50))
    assert written(OPEN, "reminder").payload["links"]["acknowledge"] == link(OPEN.id, "pager", after(60))
    assert written(over, "resolved").payload["links"]["acknowledge"] is None
    assert "acknowledge" not in written(over, "resolved").body


def test_components_are_told_as_far_as_the_incident_goes() -> None:
    """By those of its modules that fail; with its end they all work."""
    cart = Component("cart", {"en": "Cart"}, ("checkout", "catalog"))
    whole = replace(platform(module("checkout"), module("catalog")), groups=(Group("shop", {"en": "Shop"}, (cart,)),))
    desk = Desk(Site(name="Shop", languages=("en",)), whole, SPEECH)

    def told(one: Incident) -> list[tuple[str, str, str]]:
        sending = Sending(Letter(one.id, 1, "pager", "opened", "first", after(2)), "opened")
        found = message_of(sending, replace(one, components=("cart", "gone")), "en", desk, after(60)).components
        return [(one.id, one.name, one.status) for one in found]

    assert told(OPEN) == [("cart", "Cart", "partial_outage")]
    assert told(replace(OPEN, resolved_at=after(50))) == [("cart", "Cart", "operational")]
