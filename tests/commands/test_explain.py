"""`monitor explain` as it is typed."""

import json

from click.testing import CliRunner

from monitor.cli import main

KEYS = ("code", "kind", "module", "blame", "class")


def typed(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["explain", *words])
    return done.exit_code, done.stdout, done.stderr


def test_a_code_is_explained_in_three_languages() -> None:
    """In one of them as text, in all of them as JSON; no configuration is needed."""
    status, out, _ = typed("chk0233")
    assert (status, out.splitlines()[0]) == (0, "CHK0233")
    assert "Promotions & Taxes" in out
    assert "O que fazer" in typed("http.429", "--lang", "pt-br")[1]
    status, out, _ = typed("http.429", "--json")
    told = json.loads(out)
    assert [status, *map(told.get, KEYS)] == [0, "http.429", "cause", None, "blocked", "capacity_or_throttling"]
    assert set(told["advice"]) == {"en", "pt-BR", "es"}
    told = json.loads(typed("chk0233", "--json")[1])
    assert [*map(told.get, KEYS)] == ["CHK0233", "vtex", "Promotions & Taxes", None, None]
    assert set(json.loads(typed("ORD021.3", "--json", "--lang", "es")[1])["meaning"]) == {"es"}


def test_an_unknown_code_is_told_with_the_nearest() -> None:
    """On stderr, status 1, and nothing in it steers the terminal; an unknown language is status 2."""
    status, out, error = typed("htp.503")
    assert (status, out, error) == (1, "", "htp.503 is no code that the monitor knows; did you mean http.503?\n")
    assert typed("\x1b[31mzzz")[0] == 1
    assert "\x1b" not in typed("\x1b[31mzzz")[2]
    assert typed("http.429", "--lang", "tlh")[0] == 2
