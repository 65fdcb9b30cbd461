"""Alertmanager: a real one, and the form of its API."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.notify.channel import DeliveryFailed, Message
from tests.notify.notices import EVENTS, HOSTILE, channel, incident, notice
from tests.notify.receiving import check, facing, says
from tests.programs import path_of, running

CONFIG = """
route: {receiver: nobody, group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Alertmanager that has just begun."""
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "config.yml").write_text(CONFIG)
    url = f"http://127.0.0.1:{free_port()}"

    def ready() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
        return False

    command = (
        *(path_of("prometheus-alertmanager"), f"--config.file={folder}/config.yml", f"--storage.path={folder}/data"),
        *(f"--web.listen-address={url.removeprefix('http://')}", "--cluster.listen-address="),
    )
    with running(*command, log=folder / "log", ready=ready):
        yield url


def standing(url: str, key: str) -> list[dict[str, Any]]:
    """The alerts of an incident that Alertmanager holds for firing."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?filter=incident%3D%22{key}%22", timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def about(event: str, id: str, code: str = "http.503", external: str | None = None, **more: Any) -> Message:
    """A notice of one of several incidents."""
    one = {**incident(), "id": id, "key": id, **more}
    one["cause"] = {**one["cause"], "module": "checkout", "code": code}
    return notice(event, external, incident=one, dedup_key=id)


async def test_a_real_alertmanager_holds_one_alert_while_an_incident_is_open(alertmanager: str) -> None:
    """Under labels that routes can match, with what people read and where they read on; resolved means gone."""
    async with channel("alertmanager", url=alertmanager, labels={"severity": "page"}) as channel_:
        await channel_.deliver(about("opened", "one"))
        await channel_.deliver(about("reminder", "one"))
        (alert,) = await asyncio.to_thread(standing, alertmanager, "one")
        await channel_.deliver(about("resolved", "one"))
        assert await asyncio.to_thread(standing, alertmanager, "one") == []

    assert alert["labels"] == {
        "alertname": "VtexIncident",
        "incident": "one",
        "module": "checkout",
        "code": "http.503",
        "class": incident()["cause"]["class"],
        "priority": "high",
        "severity": "page",
    }
    assert alert["annotations"]["summary"] == "Checkout: errors (status 503)"
    assert alert["annotations"]["page"] == "https://status.example.com/incidents/abc123/"
    assert alert["generatorURL"].startswith("https://ops.example.com/healthcheck/")
    began = datetime.fromisoformat(alert["startsAt"])
    assert began == datetime.fromisoformat(incident()["started_at"])
    assert timedelta(days=6) < datetime.fromisoformat(alert["endsAt"]) - datetime.now(UTC) < timedelta(days=7)


@pytest.mark.parametrize("remembered", [True, False], ids=["in memory", "by what was stored"])
async def test_another_cause_replaces_the_alert(alertmanager: str, remembered: bool) -> None:
    """A change of labels is another alert to Alertmanager, so the one before ends with it, after a restart too."""
    id = f"two-{remembered}"
    async with channel("alertmanager", url=alertmanager) as first:
        external = await first.deliver(about("opened", id))
        if remembered:
            await first.deliver(about("cause_changed", id, "tcp.refused"))
            await first.deliver(about("worsened", id, "dns.timeout", external))
    if not remembered:
        async with channel("alertmanager", url=alertmanager) as second:
            await second.deliver(about("cause_changed", id, "dns.timeout", external))
    (alert,) = await asyncio.to_thread(standing, alertmanager, id)
    assert alert["labels"]["code"] == "dns.timeout"


async def test_an_alert_without_another_notice_ends_by_itself(alertmanager: str) -> None:
    """`expires` after the last one."""
    async with channel("alertmanager", url=alertmanager, expires="1s") as channel_:
        await channel_.deliver(about("opened", "three"))
        assert len(await asyncio.to_thread(standing, alertmanager, "three")) == 1
        async with asyncio.timeout(20):
            # Another program tells nobody when its state changes.
            while await asyncio.to_thread(standing, alertmanager, "three"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_a_real_alertmanager_takes_hostile_text(alertmanager: str) -> None:
    """As labels and annotations of its own form."""
    async with channel("alertmanager", url=alertmanager) as channel_:
        await channel_.deliver(notice(text=HOSTILE))
        await channel_.deliver(notice("resolved", text=HOSTILE))


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_has_the_form_of_the_api(event: str) -> None:
    """A test and a digest stand for five minutes under names of their own."""
    async with facing("alertmanager", path="/base/", headers={"X-Scope": "a"}) as (receiver, channel_):
        external = await channel_.deliver(notice(event))
    assert (receiver.last.path, receiver.last.headers["X-Scope"]) == ("/base/api/v2/alerts", "a")
    check("alertmanager", receiver.last.json)
    (alert,) = receiver.last.json
    name = {"test": "VtexMonitorTest", "summary": "VtexMonitorSummary"}.get(event, "VtexIncident")
    assert alert["labels"]["alertname"] == name
    assert (external is None) is (event in ("test", "summary"))
    ends = datetime.fromisoformat(alert["endsAt"])
    assert (ends <= datetime.now(UTC)) is (event == "resolved")
    assert datetime.fromisoformat(alert["startsAt"]) < ends


@pytest.mark.parametrize("external", ["", "17", "[1]", '{"a": 1}', "{" * 9000, "null"])
async def test_whatever_was_stored_is_no_trouble(external: str) -> None:
    """Labels that cannot be read end nothing."""
    async with facing("alertmanager") as (receiver, channel_):
        await channel_.deliver(notice(external=external))
    assert len(receiver.last.json) == 1


@pytest.mark.parametrize("started", [None, "soon", "2999-01-01T00:00:00Z", "2026-11-23T12:00:00"])
async def test_an_alert_begins_before_it_ends(started: str | None) -> None:
    """Whatever the incident says, for Alertmanager refuses it otherwise."""
    async with facing("alertmanager") as (receiver, channel_):
        await channel_.deliver(about("resolved", "four", started_at=started))
    check("alertmanager", receiver.last.json)
    (alert,) = receiver.last.json
    assert alert["startsAt"] < alert["endsAt"]


async def test_a_label_that_is_not_valid_is_a_permanent_failure() -> None:
    """Sent again it is refused again."""
    async with facing("alertmanager", says(400, '"bad label"')) as (_, channel_):
        with pytest.raises(DeliveryFailed, match="bad label") as caught:
            await channel_.deliver(notice())
    assert caught.value.permanent
