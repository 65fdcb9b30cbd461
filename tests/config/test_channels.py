"""What `check` knows of channels before anything is sent."""

import json
from typing import Any

import pytest
import trustme

from monitor.config import ConfigError
from tests.config.support import messages, parsed


def section(kind: str, head: str = "", **keys: Any) -> Any:
    """A channel as other rooms get it."""
    text = json.dumps({"it": {"kind": kind, **keys}})
    return parsed(f"version: 1\n{head}\nchannels: {text}", HOOK="https://hooks.example.com/from-outside")


def problems(kind: str, **keys: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        section(kind, **keys)
    return messages(caught.value.problems)


MAIL = {"server": "localhost:25", "from": "status@shop.example", "to": "team@shop.example"}


@pytest.mark.parametrize(
    "sender",
    [
        "status@shop.example",
        "Status <status@shop.example>",
        '"Status, of the shop" <status+vtex@mail.shop.example>',
        "São Paulo <o'brien@x-y.example>",
    ],
)
def test_a_sender_is_an_address_with_a_name_or_without(sender: str) -> None:
    """As mail programs write it."""
    assert section("email", **{**MAIL, "from": sender}).sections["channels"]["it"]["from"] == sender


@pytest.mark.parametrize(
    "address",
    ["team", "@shop.example", "a@", "a b@shop.example", "a@shop example", "a@b, c@d", "a@b\r\nBcc: c@d", "ação@b", 7],
)
def test_what_is_no_address_is_refused(address: object) -> None:
    """Nothing of it ever becomes a header."""
    assert "must be an e-mail address" in problems("email", **{**MAIL, "from": address})[0]
    assert "must be an e-mail address" in problems("email", **{**MAIL, "to": [address]})[0]


def test_authorities_are_those_of_the_monitor_unless_a_channel_has_its_own() -> None:
    """One file serves probes and channels."""
    head, authority = "monitor: {ca_file: /etc/monitor/ca.pem}", trustme.CA().cert_pem.bytes().decode()

    def file(kind: str, **keys: Any) -> Any:
        def read(path: str) -> str:
            return authority

        from monitor.config.parse import parse

        text = json.dumps({"it": {"kind": kind, **keys}})
        return parse(f"version: 1\n{head}\nchannels: {text}", "probes.yaml", {}, read).sections["channels"]["it"]

    assert file("email", **MAIL)["ca_file"] == "/etc/monitor/ca.pem"
    assert file("slack", url="https://h/", ca_file="/own.pem")["ca_file"] == "/own.pem"
    assert "ca_file" not in file("apprise", url="json://localhost")


@pytest.mark.parametrize("kind", ["webhook", "slack", "apprise"])
def test_an_address_that_is_a_key_is_a_secret(kind: str) -> None:
    """It is all that somebody needs to write there; one from outside is one anyway."""
    scheme = "json" if kind == "apprise" else "https"
    assert section(kind, url=f"{scheme}://hooks.example.com/T0/B0/x").secrets == {
        f"{scheme}://hooks.example.com/T0/B0/x"
    }


@pytest.mark.parametrize(("host", "warns"), [("localhost", False), ("127.0.0.1", False), ("smtp.example.com", True)])
def test_a_password_in_plain_is_warned_about(host: str, warns: bool) -> None:
    """Unless it stays on the machine."""
    keys = {**MAIL, "server": f"{host}:25", "security": "none", "username": "a", "password": "a-password"}
    assert bool(section("email", **keys).warnings) is warns


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("    template: |\n      a\n\n      b {{ subjct }}\n", 8, 12),
        ("    template: |-\n      {% if %}\n", 6, 7),
        ('    template: "{{ subjct }}"\n', 5, 19),
        ("    template: 'x {{ subject | tojsn }}'\n", 5, 31),
        ("    template: ${file:/run/secrets/key}\n", None, None),
    ],
)
def test_a_mistake_in_a_template_is_told_where_it_stands(text: str, line: int | None, column: int | None) -> None:
    """In the file, whichever way YAML writes it."""
    file = f"version: 1\nchannels:\n  it:\n    {{kind: webhook}}\n{text}".replace("{kind: webhook}", "kind: webhook")
    file += "    url: https://h/\n"
    if line is None:
        assert parsed(file).sections["channels"]["it"]["template"].strip() == "from-a-file"
        return
    with pytest.raises(ConfigError) as caught:
        parsed(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column)


def test_a_template_from_outside_is_not_shown() -> None:
    """Only the line of its mistake."""
    with pytest.raises(ConfigError) as caught:
        parsed(
            "version: 1\nchannels: {it: {kind: webhook, url: 'https://h/', template: '${T}'}}", T="a\n{{ hunter22 }}"
        )
    assert messages(caught.value.problems) == ["`template` has a mistake in its line 2"]
