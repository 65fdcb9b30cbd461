"""The log: what others wrote stands in it, and does nothing there."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from monitor.logs import set_up

ACTS = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202egnp.exe \x00"
DOES = set("\x1b\x07\x9b\u202e\x00")


@pytest.fixture
def root() -> Iterator[None]:
    """Handlers and level of before come back."""
    log = logging.getLogger()
    before = (log.handlers[:], log.level)
    yield
    log.handlers[:], level = before
    log.setLevel(level)


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_in_a_line_acts_on_a_terminal(as_json: bool) -> None:
    """In the message, in its fields, and in the trace of an error that quotes what came in."""
    written = io.StringIO()
    set_up(as_json, "info", lambda text: text.replace("s3cret", "•••"), written)
    try:
        raise ValueError(f"s3cret {ACTS}")
    except ValueError:
        logging.getLogger("monitor").exception("it says %s", ACTS, extra={"about": {"said": f"s3cret{ACTS}"}})

    text = written.getvalue()
    assert not DOES & set(text)
    assert "s3cret" not in text
    assert "ValueError: •••" in (json.loads(text)["trace"] if as_json else text)
    if as_json:
        assert not DOES & set("".join(json.loads(text).values()))


@pytest.mark.usefixtures("root")
def test_addresses_that_a_library_asks_are_not_told() -> None:
    """Keys stand in them, and not only in those that the configuration marks as secret."""
    written = io.StringIO()
    set_up(False, "debug", stream=written)
    for level in (logging.DEBUG, logging.WARNING):
        logging.getLogger("urllib3.connectionpool").log(level, '"POST /services/T0/B0/key HTTP/1.1" 200')

    assert written.getvalue() == ""


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_nobody_writes_a_record_but_us(end: str) -> None:
    """What came in and looks like a line of the log is part of one, in the message and in the trace of an error."""
    written = io.StringIO()
    set_up(False, "info", stream=written)
    forged = f"no{end}2026-01-01T00:00:00.000Z info    all is well"
    try:
        raise ValueError(forged)
    except ValueError:
        logging.getLogger("monitor").exception("it says %s", forged)

    lines = written.getvalue().splitlines()
    assert len([line for line in lines if not line.startswith("  ")]) == 1
    assert "ValueError" in written.getvalue()
