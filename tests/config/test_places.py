"""Where probes run: who is there, and how those elsewhere are spoken with."""

import pytest

from monitor.config import Broker, Config, ConfigError
from tests.config.support import messages, parsed

SECRET = "0123456789abcdef0123456789abcdef"


def where(locations: str, monitor: str = "broker: mqtt://broker.example.com", runs_at: str = "[here, lisbon]") -> str:
    return f"""version: 1
monitor: {{{monitor}}}
locations: {locations}
modules:
  - id: checkout
    probes: [{{id: home, kind: tcp, address: "127.0.0.1:1", allow_private: true, locations: {runs_at}}}]
"""


def problems(text: str) -> list[str]:
    try:
        return messages(parsed(text).warnings)
    except ConfigError as error:
        return messages(error.problems)


def whole(secret: str = SECRET) -> Config:
    return parsed(where(f"[{{id: lisbon, secret: {secret}}}]"), SECRET=SECRET)


def test_a_place_with_an_agent_has_a_broker_and_a_secret() -> None:
    """Both come out as they were written, and neither is ever shown."""
    config = whole()
    assert config.settings.broker == Broker("mqtt://broker.example.com")
    assert config.place_secrets == {"lisbon": SECRET}
    assert SECRET in config.secrets
    assert SECRET not in repr(config)
    assert SECRET in whole('"${SECRET}"').secrets


def test_a_broker_is_written_short_or_long() -> None:
    """An address alone is enough; name, password and certificates may stand beside it."""
    text = 'broker: {url: "mqtts://b:1", username: u, password: "${WORD}", cert_file: c.pem, key_file: k.pem}'
    config = parsed(where(f"[{{id: lisbon, secret: {SECRET}}}]", text), WORD="a-long-password")
    assert config.settings.broker == Broker("mqtts://b:1", "u", "a-long-password", None, "c.pem", "k.pem")
    assert {"a-long-password"} <= config.secrets
    assert "a-long-password" not in repr(config)
    assert "hunter22" in parsed(where("[]", "broker: mqtt://u:hunter22@b", "[here]")).secrets


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (where("[{id: lisbon}]"), "probes run at `lisbon`: it needs a `secret` that its agent knows as well"),
        (where("[{id: lisbon}]", ""), "nobody probes from `lisbon`: its agent is spoken with over `monitor.broker`"),
        (where(f"[{{id: lisbon, secret: {SECRET}}}]", ""), "`secret` is of no use without `monitor.broker`"),
        (where("[{id: lisbon, secret: short}]"), "`secret` must be at least 32 characters"),
        (where(f"[{{id: lisbon, secret: {'a' * 40}}}]"), "`secret` must be at least 32 characters"),
        (
            where(f"[{{id: lisbon, secret: {SECRET}}}, {{id: porto, secret: {SECRET}}}]"),
            "`secret` is that of `lisbon`; a place has its own",
        ),
        (
            where(f"[{{id: here, secret: {SECRET}}}]", runs_at="[here]"),
            "`secret` is of no use at `here`, where we probe ourselves",
        ),
        (
            where("[{id: lisbon}]", "location: lisbon, broker: mqtt://b"),
            "nobody probes from `here`: we probe from `lisbon`, and it is no location",
        ),
        (where("[]", "location: porto", "[here]"), "`porto`"),
        (where("[]", "broker: http://b", "[here]"), "`url` must"),
        (where("[]", "broker: {url: mqtt://b, ca_file: missing.pem}", "[here]"), "`ca_file` cannot be read"),
    ],
)
def test_what_does_not_fit_together_is_told(text: str, said: str) -> None:
    """Before anything starts, with the key that is meant; no secret is in it."""
    told = problems(text)
    assert [one for one in told if said in one], told
    assert not [one for one in told if SECRET in one]


def test_a_place_that_nobody_probes_from_needs_no_secret() -> None:
    """One of which every probe is off is such a place, too."""
    assert problems(where("[{id: lisbon}]", runs_at="[here]")) == []
    off = where("[{id: lisbon}]").replace("kind: tcp", "kind: tcp, enabled: false")
    assert problems(off) == []


def test_we_probe_from_where_we_are_told_to_be() -> None:
    """There is no place called `here` then, and heartbeats are known where the ops side is."""
    text = where(f"[{{id: sp}}, {{id: lisbon, secret: {SECRET}}}]", "location: sp, broker: mqtt://b", "[sp, lisbon]")
    config = parsed(text.replace("probes: [", "probes: [{id: beat, kind: heartbeat, every: 1m, grace: 10s}, "))
    assert config.settings.location == "sp"
    assert set(config.platform.locations) == {"sp", "lisbon"}
    assert config.platform.probes["checkout", "beat"].locations == ("sp",)
    assert config.warnings == ()


def test_probes_that_inherit_run_where_the_defaults_say() -> None:
    """And the default of the defaults is `here`, which is nowhere once we are told to be elsewhere."""
    text = where("[{id: lisbon}]", "location: lisbon").replace(", locations: [here, lisbon]", "")
    assert problems(text) == ["nobody probes from `here`: we probe from `lisbon`, and it is no location"]
    assert problems(text + "defaults: {locations: [lisbon]}\n") == []
