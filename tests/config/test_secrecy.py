"""What a configuration shows of itself: no key to somebody's door, and no text that reads otherwise than it is."""

import pytest

from monitor.config import ConfigError
from tests.config.support import messages, parsed, with_probe

LRE, RLO, LRI = "\u202a", "\u202e", "\u2066"


def said(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(f"version: 1\n{text}\n")
    return str(caught.value)


@pytest.mark.parametrize("kind", ["webhook", "slack", "apprise", "zendesk", "alertmanager"])
def test_a_mistyped_address_of_a_channel_is_not_shown(kind: str) -> None:
    """It is all that somebody needs to write there, however it is spelled."""
    for url in ("htps://hooks.example.com/T0/CANARY", "hooks.example.com/CANARY", "[https://h/CANARY, htp://CANARY]"):
        assert "CANARY" not in said(f"channels: {{chat: {{kind: {kind}, url: {url}}}}}")


def test_the_address_of_a_broker_is_shown_without_its_password() -> None:
    """It is no secret, and whoever mends it has to see it."""
    text = said("channels: {chat: {kind: mqtt, url: 'mqt://me:CANARY@broker:1883'}}")
    assert "broker:1883" in text
    assert "CANARY" not in text
    assert "CANARY" not in said("monitor: {heartbeat_url: htp://beat.example.com/CANARY}")


def test_a_parameter_that_is_called_a_secret_is_not_shown() -> None:
    """The rest of the address is."""
    probe = "{id: p, kind: http, url: 'htp://shop.example.com/x?sc=1&api_key=CANARY&token=CANARY2#f'}"
    text = said(f"modules: [{{id: a, probes: [{probe}]}}]")
    assert "sc=1&api_key=•••&token=•••" in text
    assert "CANARY" not in text


@pytest.mark.parametrize("mark", [LRE, RLO, LRI])
def test_names_are_read_in_the_order_in_which_they_are_written(mark: str) -> None:
    """A name that turns the direction would turn what stands beside it on pages, in mails and in the log."""
    for text in (
        f'site: {{name: "Shop {mark}!"}}',
        f'modules: [{{id: a, name: "a{mark}b"}}]',
        f'modules: [{{id: a, description: {{en: "a{mark}b"}}}}]',
        f'components: [{{group: {{id: g, name: "x{mark}"}}, items: []}}]',
    ):
        assert "turns the direction" in said(text)
        assert mark not in said(text)


def test_marks_beside_letters_are_fine() -> None:
    """Hebrew, Arabic, Persian and emoji need theirs."""
    name = "שופ\u200f 1, می\u200cخواهم, 👩\u200d💻"
    assert parsed(f'version: 1\nmodules: [{{id: a, name: "{name}"}}]').platform.modules["a"].name["pt-BR"] == name


@pytest.mark.parametrize(("token", "warned"), [("a" * 15, True), ("0123456789abcdef", False), ("", False)])
def test_a_short_token_of_the_ops_side_is_warned_about(token: str, warned: bool) -> None:
    """It is no error, for it worked before; and it is not shown."""
    found = messages(parsed(f'version: 1\nmonitor: {{ops_token: "{token}"}}').warnings)
    assert found == (
        ["`ops_token` can be tried from afar: make it at least 16 characters that cannot be guessed"] if warned else []
    )
    assert bool(found) == bool(
        messages(parsed("version: 1\nmonitor: {ops_token: '${T:-}'}", **({"T": token} if token else {})).warnings)
    )


def test_a_key_in_an_address_is_a_secret_whatever_its_variable_is_called() -> None:
    """Written there or from outside; a search for keywords is none."""
    url = "https://me:${ONE}@h.example.com/?sc=1&api_key=${TWO}&x-token=literal-key&keywords=summer-shirts"
    config = with_probe(f"kind: http\nurl: '{url}'", ONE="first-value", TWO="second-value")
    assert config.secrets == {"first-value", "second-value", "literal-key"}
