"""A place is told what it has to know, whole, and nothing else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config
from monitor.config.file import load, shipped
from monitor.core.module import Platform
from monitor.places import topics
from monitor.places.distribution import Distribution
from monitor.places.seal import Refused, Seal
from monitor.places.share import Shares, canonical, read, told, written
from monitor.places.wire import Configuration, unpack
from tests.config.support import parsed
from tests.config.test_parse import FULL

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISBON, PORTO = "lisbon 0123456789abcdef0123456789abcdef", "porto 0123456789abcdef0123456789abcdef!"
TEXT = """version: 1
monitor:
  broker: mqtt://core:hunter2hunter2@broker.example.com
  canaries: [https://www.example.com/]
  connect_to: {"shop.example.com:443": "127.0.0.1:8443"}
  ops_token: an-operators-token
locations: [{id: lisbon, secret: "${LISBON}"}, {id: porto, secret: "${PORTO}"}]
channels: {chat: {kind: webhook, url: "https://hooks.example.com/${HOOK}"}}
modules:
  - id: catalog
    probes:
      - id: both
        url: https://shop.example.com/
        headers: {X-VTEX-API-AppToken: "${TOKEN}"}
        locations: [lisbon, here]
      - id: there
        url: https://shop.example.com/api
        locations: [lisbon]
        interval: 20s
        expect: {json: {state: {matches: "^o[k]$"}, when: {newer_than: 15m}}, matches: "x+"}
        verdicts: [{module: checkout, expect: {json: {paid: true}}}]
      - {id: off, url: https://shop.example.com/, enabled: false, locations: [lisbon]}
  - id: checkout
    probes:
      - {id: elsewhere, url: https://shop.example.com/, json: {password: "${OTHER}"}, method: POST, locations: [porto]}
      - {id: ours, url: https://shop.example.com/}
"""
OUTSIDE = {"LISBON": LISBON, "PORTO": PORTO, "HOOK": "a-secret-hook", "TOKEN": "token-for-lisbon", "OTHER": "for-porto"}


def config(text: str = TEXT) -> Config:
    return parsed(text, **OUTSIDE)


def test_a_place_probes_exactly_as_the_core_would(tmp_path: Path) -> None:
    """Every probe that runs there, with its grid, its targets, its expectations and what it says of other modules."""
    whole = config()
    there = told(Shares(whole).of("lisbon"), "lisbon", tmp_path).config
    asked = {
        key: probe for key, probe in whole.platform.probes.items() if "lisbon" in probe.locations and not probe.off
    }
    assert set(there.platform.probes) == set(asked) == {("catalog", "both"), ("catalog", "there")}
    assert dict(there.platform.probes) == asked
    assert there.platform.modules["catalog"].verdicts == whole.platform.modules["catalog"].verdicts
    assert there.network == whole.network
    assert there.settings.location == "lisbon"


def test_every_kind_of_probe_can_be_told(tmp_path: Path) -> None:
    """Those of the shipped configuration, and one with every key there is."""
    for one in (config(), parsed(FULL), _shipped()):
        probes = {key: replace(probe, off=None, locations=("lisbon",)) for key, probe in one.platform.probes.items()}
        assert probes
        assert {key: read(json.loads(json.dumps(written(probe)))) for key, probe in probes.items()} == probes


def _shipped() -> Config:
    return load(str(shipped()), {"VTEX_ACCOUNT": "demostore", "VTEX_APP_KEY": "k" * 20, "VTEX_APP_TOKEN": "t" * 20})


def test_nothing_of_anybody_else_is_told() -> None:
    """No channel, no token of operators, no broker, no other place, and no secret of a probe that runs elsewhere."""
    share = Shares(config()).of("lisbon")
    said = json.dumps(share)
    assert "token-for-lisbon" in said
    assert share["secrets"] == ["token-for-lisbon"]
    for one in ("hunter2", "an-operators-token", "a-secret-hook", LISBON, PORTO, "for-porto", "hooks", "elsewhere"):
        assert one not in said
    other = Shares(config()).of("porto")
    assert other["secrets"] == ["for-porto"]  # it stands in the body of a request
    assert "token-for-lisbon" not in json.dumps(other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"probes": [{"~class": "HttpTarget", "url": "x"}]},
        {"probes": [{"~class": "Popen", "args": "x"}]},
        {"probes": [{"~class": "Probe", "unheard": 1}]},
        {"probes": [{"~unheard": 1}]},
        {"probes": "no list"},
        {"verdicts": [["a", "b"]]},
        {"verdicts": [["nobody", "b", []]]},
        {"network": None},
        {"authorities": 7},
        {"secrets": None},
    ],
    ids=str,
)
def test_what_is_not_known_here_is_refused_whole(wrong: dict[str, Any], tmp_path: Path) -> None:
    """A core of a newer version may say what an agent does not understand; it then goes on as it is."""
    with pytest.raises(Refused, match="newer version"):
        told(Shares(config()).of("lisbon") | wrong, "lisbon", tmp_path)
    without = Shares(config()).of("lisbon")
    del without[next(iter(wrong))]
    with pytest.raises(Refused, match="newer version"):
        told(without, "lisbon", tmp_path)


def test_each_place_is_given_its_own_under_its_own_seal() -> None:
    """The same configuration has the same digest, whenever it is given; another one has another."""
    distribution = Distribution()
    given = distribution.messages(config(), NOW)
    assert set(given) == {topics.configuration("lisbon"), topics.configuration("porto")}
    document = unpack(Seal(LISBON, "lisbon"), topics.configuration("lisbon"), given[topics.configuration("lisbon")])
    assert isinstance(document, Configuration)
    assert document.issued_at == NOW
    assert document.digest == distribution.digests["lisbon"] != distribution.digests["porto"]
    assert canonical(document.share) == canonical(Shares(config()).of("lisbon"))
    with pytest.raises(Refused):
        unpack(Seal(PORTO, "porto"), topics.configuration("porto"), given[topics.configuration("lisbon")])
    before = dict(distribution.digests)
    distribution.messages(config(), NOW + timedelta(minutes=1))
    assert distribution.digests == before
    distribution.messages(config(TEXT.replace("20s", "30s")), NOW)
    assert distribution.digests["lisbon"] != before["lisbon"]
    assert distribution.digests["porto"] == before["porto"]


def test_a_place_that_is_gone_is_told_to_ask_nobody(tmp_path: Path) -> None:
    """Once, under the seal it knows."""
    distribution = Distribution()
    distribution.messages(config(), NOW)
    without = replace(config(), place_secrets={"lisbon": LISBON})
    given = distribution.messages(without, NOW)
    document = unpack(Seal(PORTO, "porto"), topics.configuration("porto"), given[topics.configuration("porto")])
    assert isinstance(document, Configuration)
    assert told(document.share, "porto", tmp_path).config.platform.probes == {}
    assert set(distribution.messages(without, NOW)) == {topics.configuration("lisbon")}


def test_a_share_that_no_broker_would_take_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """And the other places have theirs."""
    one = config()
    catalog = one.platform.modules["catalog"]
    noise = "".join(chr(0x4E00 + (n * n * 2654435761 >> 7) % 20000) for n in range(600_000))
    big = replace(catalog, probes=tuple(replace(probe, instance=noise) for probe in catalog.probes))
    distribution = Distribution()
    given = distribution.messages(replace(one, platform=Platform({**one.platform.modules, "catalog": big})), NOW)
    assert set(given) == {topics.configuration("porto")}
    assert "larger" in distribution.trouble["lisbon"]
    assert "place lisbon is not told its configuration" in caplog.text


def test_authorities_are_told_along(tmp_path: Path) -> None:
    """What the core trusts beside the system's stands in a file of its own, which no other place has."""
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----")
    one = replace(config(), network=replace(config().network, ca_file=str(file)))
    distribution = Distribution()
    topic = topics.configuration("lisbon")
    document = unpack(Seal(LISBON, "lisbon"), topic, distribution.messages(one, NOW)[topic])
    assert isinstance(document, Configuration)
    found = told(document.share, "lisbon", tmp_path / "there")
    assert found.authorities == "-----BEGIN CERTIFICATE-----"
    assert str(found.config.network.ca_file).startswith(str(tmp_path / "there" / "authorities-"))
