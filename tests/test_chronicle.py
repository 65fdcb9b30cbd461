"""Chronicle and log: one can follow an incident, a module or a probe through the lines, and no secret with them."""

import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.effect import Gap, Observed
from monitor.desk import Desk
from monitor.logs import set_up
from monitor.mask import masker
from tests.stories.beats import START, observation
from tests.test_desk import CLOCK, RecordingStore, at_work


@pytest.fixture
def lines() -> Any:
    """What is logged meanwhile, as JSON at every level."""
    root, output = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    set_up(True, "debug", masker(frozenset({"hush-hush"})), output)
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def struck(desk: Desk) -> None:
    for beat, outcome in enumerate("+---"):
        CLOCK.at = START + timedelta(minutes=beat, seconds=1)
        desk.take(Observed(observation("catalog", START + timedelta(minutes=beat), outcome)))


def test_an_incident_is_followed_through_the_log(lines: Any) -> None:
    """The change of status and all that becomes of the incident have its id."""
    desk, _ = at_work(RecordingStore())
    struck(desk)
    (incident,) = desk.board.incidents
    told = [line for line in lines() if line.get("incident") == incident]
    assert {line["module"] for line in told} == {"catalog"}
    assert next(line["change"] for line in told if "change" in line) == "opened"
    assert any(line.get("status") == "down" for line in told)
    assert all(line["message"] for line in told)


def test_the_recovery_that_ends_an_incident_has_its_id(lines: Any) -> None:
    """Otherwise the last line of the story would be missing; what comes much later is another one."""
    desk, _ = at_work(RecordingStore())
    struck(desk)
    (incident,) = desk.board.incidents
    for beat in range(4, 14):
        CLOCK.at = START + timedelta(minutes=beat, seconds=1)
        desk.take(Observed(observation("catalog", START + timedelta(minutes=beat), "+")))
    up = [line for line in lines() if line.get("status") == "up"]
    assert [line.get("incident") for line in up] == [None, incident]


def test_every_run_is_there_for_whoever_asks(lines: Any) -> None:
    """At level debug: by module, by probe, by place, and how it came out."""
    desk, _ = at_work(RecordingStore())
    struck(desk)
    runs = [line for line in lines() if line["level"] == "debug" and "outcome" in line]
    assert [line["outcome"] for line in runs] == ["passed", "failed", "failed", "failed"]
    assert {(line["module"], line["probe"], line["location"]) for line in runs} == {("catalog", "ask", "here")}
    assert runs[1]["code"] in runs[1]["message"]


def test_a_place_that_sees_nothing_is_followed_by_its_name(lines: Any) -> None:
    """With the code of what ails it."""
    desk, _ = at_work(RecordingStore())
    desk._perform(Gap("here", START), [])
    (line,) = lines()
    assert (line["location"], line["code"]) == ("here", "self.connectivity")


def test_a_field_is_masked_like_every_text_and_hides_no_other(lines: Any) -> None:
    """Whatever stands in it; `message` and the like stay what they are."""
    about = {"module": "hush-hush\nx", "message": "another", "at": "never"}
    logging.getLogger("tests").warning("plain", extra={"about": about})
    (line,) = lines()
    assert "hush-hush" not in json.dumps(line)
    assert line["message"] == "plain"
    assert line["at"] != "never"
