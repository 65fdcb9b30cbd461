"""Who gets in, as the file says it: what a line of `monitor password` holds, and what becomes of it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitor.config import Address
from monitor.config.access import made, password
from monitor.core.roster import How, Person, Role
from tests.config.support import parsed

# of `correct horse ã`
LINE = "$scrypt$ln=17,r=8,p=1$Gllm7iTMZQaTIj+47KzO7Q$Ngbya8ek0r2dGqcpWGuoQP7z60W6zgJo7kBtJq58qDw"
SALT, HASH = LINE.split("$")[3:]


def line(parameters: str, salt: str = SALT, hash: str = HASH) -> str:
    return f"$scrypt${parameters}${salt}${hash}"


def test_a_line_opens_to_its_password() -> None:
    """As dear as is recommended, with a salt of its own; an accent counts however it was typed."""
    kept, fresh = password(LINE), password(made("x"))
    assert (fresh.log_cost, fresh.block, fresh.lanes, fresh.memory) == (17, 8, 1, 128 * 1024**2)
    assert fresh.derived("x") == fresh.hash
    assert fresh.salt != kept.salt
    assert kept.derived("correct horse a\u0303") == kept.hash
    assert HASH not in repr(kept)


@pytest.mark.parametrize("parameters", ["ln=17,r=8,p=1", "ln=16,r=8,p=2", "ln=15,r=8,p=3", "ln=14,r=8,p=5"])
def test_what_is_recommended_is_taken(parameters: str) -> None:
    """Memory may be had for time."""
    assert password(line(parameters)).lanes == int(parameters[-1])


@pytest.mark.parametrize(
    ("text", "why"),
    [(line("ln=13,r=8,p=5"), "too cheap"), (line("ln=17,r=1,p=1"), "too cheap"), (line("ln=17,r=8,p=0"), "too cheap"),
     (line("ln=19,r=8,p=1"), "too much"), (line("ln=14,r=8,p=999"), "too much"), (line("ln=99,r=8,p=1"), "too cheap"),
     (line("ln=17,r=8,p=1", salt="c2FsdA"), "below 16"), (line("ln=17,r=8,p=1", hash="c2FsdA"), "below 32"),
     (line("r=8,ln=17,p=1"), "must be a line"), (LINE + "=", "must be a line"), (LINE + "\n", "must be a line"),
     (LINE.replace("scrypt", "argon2id"), "must be a line"), ("correct horse", "must be a line"),
     (12, "must be a line")],
)  # fmt: skip
def test_what_is_weak_too_dear_or_no_line_is_refused(text: object, why: str) -> None:
    """And never shown."""
    with pytest.raises(PydanticCustomError, match=why) as caught:
        password(text)
    assert HASH[:8] not in str(caught.value)


@given(st.text(st.sampled_from("$scrypt=,lnp0123456789ABCabc+/ "), max_size=80))
def test_whatever_stands_there_is_a_password_or_a_sentence(text: str) -> None:
    """Nothing else comes out of it."""
    with pytest.raises(PydanticCustomError):
        password(text)


def test_whoever_is_named_is_on_the_roster() -> None:
    """`ops_token` first, then the others; viewers unless it says otherwise; all of their secrets are masked."""
    config = parsed(
        f"""monitor:
  ops: ":9000"
  ops_token: letmein
  users: [{{name: Ana, password: "{LINE}", role: operator}}, {{name: eva, password: "${{LINE}}"}}]
  tokens: [{{name: grafana, token: "${{TOKEN}}"}}, {{name: robot, token: a-token-of-a-robot, role: operator}}]
""",
        LINE=LINE,
        TOKEN="a-token-of-a-reader",
    )
    roster = config.settings.roster
    assert [one.person for one in (*roster.users, *roster.tokens)] == [
        Person("Ana", Role.OPERATOR, How.SESSION, known=True),
        Person("eva", Role.VIEWER, How.SESSION, known=True),
        Person(None, Role.OPERATOR, How.TOKEN),
        Person("grafana", Role.VIEWER, How.TOKEN, known=True),
        Person("robot", Role.OPERATOR, How.TOKEN, known=True),
    ]
    assert list(roster.operator_tokens()) == ["letmein", "a-token-of-a-robot"]
    assert config.settings.ops_token == "letmein"
    assert config.secrets == {"letmein", LINE, "a-token-of-a-reader", "a-token-of-a-robot"}
    shown = repr(config)
    assert not any(secret in shown for secret in (*config.secrets, HASH, str(base64.b64decode(SALT + "=="))))


def test_with_users_alone_it_listens_where_it_was_told() -> None:
    """A password is as good as a token; nobody who may change anything is worth a word."""
    config = parsed(f'monitor: {{ops: ":9000", users: [{{name: eva, password: "{LINE}"}}]}}')
    assert config.settings.ops == Address("0.0.0.0", 9000)
    (warning,) = [one.message for one in config.warnings]
    assert warning == "nobody may change anything: no `operator`, and no `ops_token`"
    assert parsed('monitor: {ops: ":9000", users: [], tokens: []}').settings.ops == Address("127.0.0.1", 9000)
