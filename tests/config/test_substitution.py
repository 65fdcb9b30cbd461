"""`${NAME}`, `${NAME:-default}`, `${file:…}`: where values come from, and what stays secret."""

import pytest

from monitor.config import ConfigError
from monitor.core.target import HttpTarget
from tests.config.support import parsed, probe_of, with_probe

URL = "url: https://shop.example.com/"


def test_vars_come_before_the_environment() -> None:
    """The file says what holds for it."""
    config = parsed("vars: {title: ours}\nsite: {name: '${title} ${OTHER}'}", title="theirs", OTHER="page")

    assert config.site.name == "ours page"


def test_a_var_may_use_the_environment_and_the_vars_before_it() -> None:
    """In the order they are written."""
    config = parsed("vars: {a: '${X}', b: '${a}-b'}\nsite: {name: '${b}'}", X="x")

    assert config.site.name == "x-b"


def test_a_var_is_text_as_it_is_written() -> None:
    """A postal code keeps its zero."""
    config = parsed("vars: {cep: 01310, on: true}\nsite: {name: '${cep} ${on}'}")

    assert config.site.name == "01310 true"


def test_a_default_stands_in_for_what_is_unset_or_empty() -> None:
    """As in a shell."""
    assert parsed("site: {name: '${X:-Shop}'}").site.name == "Shop"
    assert parsed("site: {name: '${X:-Shop}'}", X="").site.name == "Shop"
    assert parsed("site: {name: '${X:-Shop}'}", X="Store").site.name == "Store"


def test_nothing_where_nothing_is_a_fair_answer() -> None:
    """`${NAME:-}` of an unset name is as good as null."""
    config = parsed(
        "monitor: {ops_token: '${T:-}', ops_url: '${U:-}', heartbeat_url: '${H:-}'}\nsite: {theme: '${V:-}'}"
    )

    assert config.settings.ops_token is None
    assert config.settings.ops_url is None
    assert config.settings.heartbeat_url is None
    assert config.site.theme is None


def test_keys_are_left_alone() -> None:
    """Only values are replaced."""
    config = parsed("site: {links: {'${X}': 'https://example.com'}}")

    assert dict(config.site.links) == {"${X}": "https://example.com"}


def test_two_dollars_make_one() -> None:
    """`$${` is how a literal one is written."""
    assert parsed("site: {name: 'a $${X} b $5'}").site.name == "a ${X} b $5"


@pytest.mark.parametrize(
    ("key", "value", "attribute", "wanted"),
    [
        ("follow", "3", "follow", 3),
        ("reuse", "true", "reuse", True),
        ("max_body", "1KiB", "max_body", 1024),
    ],
)
def test_a_replaced_value_is_text_that_typed_keys_understand(
    key: str, value: str, attribute: str, wanted: object
) -> None:
    """Numbers, truths, durations and sizes are read from it; text keys take it as it is."""
    probe = probe_of(f"{URL}\n{key}: ${{X}}", X=value)

    assert getattr(probe.ask, attribute) == wanted


def test_a_replaced_value_in_a_json_body_is_text() -> None:
    """Ids of a shop look like numbers and are none."""
    ask = probe_of(f"{URL}\njson: {{sku: '${{sku}}', n: 1}}", "vars: {sku: 7}").ask

    assert isinstance(ask, HttpTarget)
    assert ask.body == b'{"sku":"7","n":1}'


def test_a_secret_file_gives_its_text_without_the_last_line_break() -> None:
    """And its text is a secret."""
    config = with_probe(f"{URL}\nheaders: {{x-key: '${{file:/run/secrets/key}}'}}")
    ask = config.platform.probes["checkout", "home"].ask

    assert isinstance(ask, HttpTarget)
    assert ask.headers == (("x-key", "from-a-file"),)
    assert "from-a-file" in config.secrets


def test_an_empty_secret_file_is_an_error() -> None:
    """Never an empty text, except where the author wrote one."""
    with pytest.raises(ConfigError, match="`/run/secrets/empty` is empty"):
        parsed("site: {name: '${file:/run/secrets/empty}'}")


def test_a_name_may_be_held_by_a_file() -> None:
    """As images of databases have it: `NAME_FILE`. What stands there is a secret, whatever it is called."""
    config = parsed("site: {name: '${TITLE}'}", TITLE_FILE="/run/secrets/key")

    assert config.site.name == "from-a-file"
    assert "from-a-file" in config.secrets
    assert parsed("site: {name: '${TITLE}'}", TITLE="said", TITLE_FILE="/run/secrets/key").site.name == "said"
    assert parsed("site: {name: '${TITLE:-Shop}'}", TITLE_FILE="/run/secrets/empty").site.name == "Shop"


def test_a_file_that_cannot_be_read_is_told_of_even_where_nothing_is_needed() -> None:
    """A token that silently is none would leave a door shut, or open."""
    with pytest.raises(ConfigError, match="cannot read `/run/secrets/gone`"):
        parsed("site: {name: '${TITLE:-Shop}'}", TITLE_FILE="/run/secrets/gone")
    with pytest.raises(ConfigError, match="cannot read `/run/secrets/gone`"):
        with_probe(f"{URL}\nneeds: [KEY]\nheaders: {{x-key: '${{KEY}}'}}", KEY_FILE="/run/secrets/gone")


def test_a_probe_without_what_it_needs_is_off_and_says_why() -> None:
    """Inside it the missing names are no error, whatever the key."""
    probe = probe_of(
        "url: https://${HOST}/\nneeds: [HOST, VTEX_KEY]\nfollow: ${HOST}\ninterval: ${HOST}\nreuse: ${HOST}\n"
        "expect: {status: '${HOST}', slow_after: '${HOST}', json: {'a': {matches: '${HOST}', at_least: '${HOST}'}}}"
    )

    assert probe.off == "HOST and VTEX_KEY are not set"


def test_an_empty_name_is_as_good_as_unset_for_needs() -> None:
    """`VTEX_KEY=` in an environment file means nobody filled it in."""
    assert probe_of(f"{URL}\nneeds: [VTEX_KEY]", VTEX_KEY="").off == "VTEX_KEY is not set"
    assert probe_of(f"{URL}\nneeds: [VTEX_KEY]", VTEX_KEY="abcd").off is None
    assert probe_of(f"{URL}\nneeds: [key]", "vars: {key: '${VTEX_KEY:-}'}").off == "key is not set"


def test_a_flow_leaves_the_names_that_earlier_steps_save() -> None:
    """They are filled in while the flow runs."""
    steps = probe_of(
        "kind: flow\nsteps:\n"
        "  - {url: 'https://shop.example.com/search', save: {sku: 'items[0].id'}}\n"
        "  - {url: 'https://shop.example.com/${sku}/${account}'}",
        "vars: {account: demo}",
    ).steps

    assert steps[1].ask.http.url == "https://shop.example.com/${sku}/demo"


@pytest.mark.parametrize(
    "text",
    [
        "site: {name: '${VTEX_APP_TOKEN}'}",
        "site: {name: '${DB_PASSWORD}'}",
        "monitor: {ops_token: '${X}'}",
        "monitor: {heartbeat_url: 'https://hc.example.com/${X}'}",
        "monitor: {database: 'postgresql://u:${X}@h/d'}",
        "channels: {chat: {kind: slack, url: 'https://hooks.example.com/${X}'}}",
        "vars: {inner: '${X}'}\nchannels: {chat: {kind: slack, url: 'https://hooks.example.com/${inner}'}}",
    ],
)
def test_what_must_not_leave_the_process_is_known(text: str) -> None:
    """By the name it has, or by the place it is used in."""
    value = "s3cret-value"
    config = parsed(text, X=value, VTEX_APP_TOKEN=value, DB_PASSWORD=value)

    assert value in config.secrets
    assert value not in repr(config.settings)


@pytest.mark.parametrize("key", ["headers: {a: '${X}'}", "body: 'a ${X}'", "json: {a: ['${X}']}", "form: {a: '${X}'}"])
def test_what_a_probe_sends_is_secret_when_it_comes_from_outside(key: str) -> None:
    """The environment is where people keep keys."""
    assert "s3cret-value" in with_probe(f"{URL}\n{key}", X="s3cret-value").secrets


def test_ordinary_values_and_short_ones_are_no_secrets() -> None:
    """Masking `1` everywhere would hide the facts."""
    config = with_probe(f"{URL}?a=${{ACCOUNT}}\nheaders: {{a: '${{X}}', b: literal}}", ACCOUNT="demostore", X="abc")

    assert config.secrets == frozenset()


def test_passwords_in_addresses_are_secrets_wherever_they_stand() -> None:
    """Also as they read once decoded."""
    config = parsed("monitor: {database: 'postgresql://user:p%40ssword@db/x'}")

    assert config.secrets == {"p%40ssword", "p@ssword"}


def test_secrets_written_in_the_file_itself_are_masked_too() -> None:
    """A heartbeat's secret, a channel's key."""
    config = with_probe("kind: heartbeat\nevery: 5m\nsecret: knock-knock", "monitor: {ops_token: letmein}")

    assert config.secrets == {"knock-knock", "letmein"}


DEMO = "demo: {ACCOUNT: demo, HOST: www.demo.example, cep: 01310}"


@pytest.mark.parametrize("environment", [{}, {"ACCOUNT": ""}, {"ACCOUNT": "demo"}])
def test_the_demo_stands_in_for_what_is_not_set(environment: dict[str, str]) -> None:
    """As long as nobody names another account; what it says is no secret."""
    config = with_probe("url: https://${HOST}/${ACCOUNT}\nneeds: [HOST]\njson: {at: '${cep}'}", DEMO, **environment)
    (probe,) = config.platform.probes.values()

    assert probe.off is None
    assert isinstance(probe.ask, HttpTarget)
    assert (probe.ask.url, probe.ask.body) == ("https://www.demo.example/demo", b'{"at":"01310"}')
    assert "01310" not in config.secrets


def test_a_set_name_comes_before_the_demo_and_a_default_after_it() -> None:
    """One thing about the invented store may be another one."""
    config = parsed(f"{DEMO}\nsite: {{name: '${{HOST}} ${{cep:-none}}'}}", HOST="shop.example")

    assert config.site.name == "shop.example 01310"


def test_another_account_has_nothing_of_the_demo() -> None:
    """Not its host, not its postal code: what a real store does not say is not asked."""
    assert probe_of("url: https://${HOST}/\nneeds: [HOST]", DEMO, ACCOUNT="mine").off == "HOST is not set"
    with pytest.raises(ConfigError, match="`cep` is not set"):
        parsed(f"{DEMO}\nsite: {{name: '${{cep}}'}}", ACCOUNT="mine")
