"""Apprise: the real package, to a service of its own on loopback."""

import logging
import sys
from typing import Any

import pytest

from monitor.config import ConfigError
from monitor.notify.channel import DeliveryFailed
from tests.notify.notices import EVENTS, HOSTILE, LINKS, channel, notice, section
from tests.notify.receiving import receiving, says

KEY = "k3y-of-the-service"


def address(url: str, path: str = "") -> str:
    return f"json://{url.removeprefix('http://')}/{path}"


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_reaches_every_address(event: str) -> None:
    """With a kind that services show as a colour, and our addresses in the text."""
    async with receiving() as receiver:
        urls = [address(receiver.url, "one"), address(receiver.url, "two")]
        async with channel("apprise", url=urls) as apprise:
            assert await apprise.deliver(notice(event)) is None
    assert sorted(got.path.strip("/") for got in receiver.got) == ["one", "two"]
    kind = {"opened": "failure", "resolved": "success", "acknowledged": "info", "reminder": "warning"}
    assert receiver.last.json["type"] == kind.get(event, receiver.last.json["type"])
    assert receiver.last.json["title"] == "Checkout: errors (status 503)"
    assert all(url in receiver.last.json["message"] for url in LINKS.values() if url)


async def test_hostile_text_is_text() -> None:
    """Cleaned, clipped and not taken for HTML."""
    async with receiving() as receiver, channel("apprise", url=address(receiver.url)) as apprise:
        await apprise.deliver(notice(text=HOSTILE))
    said = receiver.last.json
    assert "\u202e" not in said["message"]
    assert "\n" not in said["title"]
    assert len(said["title"]) <= 250


async def test_a_service_that_refuses_is_a_passing_failure_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Apprise tells no status, so all of them pass; what it logs is told, however little of ours is logged, and its log
    holds nothing for ours."""
    caplog.set_level(logging.CRITICAL)
    caplog.handler.setLevel(logging.NOTSET)
    async with receiving(says(503, KEY)) as receiver, channel("apprise", url=address(receiver.url, KEY)) as apprise:
        with pytest.raises(DeliveryFailed, match=r"to 1 of 1: Failed to send .*error=503") as caught:
            await apprise.deliver(notice())
    assert not caught.value.permanent
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


async def test_an_address_that_took_it_is_not_asked_again() -> None:
    """Only the one that refused."""
    async with receiving() as good, receiving(says(500)) as bad:
        async with channel("apprise", url=[address(good.url), address(bad.url)]) as apprise:
            for _ in range(2):
                with pytest.raises(DeliveryFailed, match="1 of"):
                    await apprise.deliver(notice())
        assert (len(good.got), len(bad.got)) == (1, 2)


def problems(**keys: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        section("apprise", **keys)
    return [one.message for one in caught.value.problems]


def test_an_address_that_apprise_does_not_know_is_found_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    """By `check` as by `run`; it is not shown, for it may hold a key."""
    wrong = f"nonesuch://user:{KEY}@host"
    assert problems(url=["json://localhost", wrong]) == ["`url` is no address that Apprise knows"]
    assert problems(url=wrong) == ["`url` is no address that Apprise knows"]
    assert KEY not in "".join(capfd.readouterr())


async def test_without_the_extra_it_is_a_mistake_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says what to install."""
    built = section("apprise", url="json://localhost")
    monkeypatch.setitem(sys.modules, "apprise", None)
    (said,) = problems(url="json://localhost")
    assert said.startswith("`kind` apprise needs a package that is not installed: pip install ")

    from monitor.notify.apprise import Apprise

    with pytest.raises(DeliveryFailed, match="not installed") as caught:
        await Apprise(built).deliver(notice())
    assert caught.value.permanent
