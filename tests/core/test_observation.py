"""An observation written as JSON and read back is the same observation: a recorded day can be judged again."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from monitor.core.observation import Observation, moment, observation_from_json, observation_to_json, stamp
from tests.strategies import observations


def _as_recorded(observation: Observation) -> Observation:
    """With instants in whole milliseconds, which is what a recording keeps of them."""

    def whole(at: datetime) -> datetime:
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    return replace(observation, at=whole(observation.at), scheduled_at=whole(observation.scheduled_at))


@given(observations())
def test_there_and_back(observation: Observation) -> None:
    """Through the text of a line, not only through dictionaries."""
    line = json.dumps(observation_to_json(observation), ensure_ascii=False)

    assert "\n" not in line
    assert observation_from_json(json.loads(line)) == _as_recorded(observation)


@given(observations())
def test_every_key_is_present(observation: Observation) -> None:
    """Readers need not ask whether a key is there."""
    assert list(observation_to_json(observation)) == [
        *("at", "module", "probe", "location", "scheduled_at", "duration", "phases", "address", "failure"),
        *("http", "certificate", "dns", "steps", "values"),
    ]


def test_absent_keys_mean_null() -> None:
    """The shortest line there is."""
    observation = observation_from_json({"at": "2026-11-23T12:00:00Z", "probe": "canary"})

    assert observation.module is None
    assert observation.location == "here"
    assert observation.scheduled_at == observation.at
    assert observation.duration == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"at": None}, "`at` is missing"),
        ({"at": "soon"}, "`at` is not a time with its zone"),
        ({"at": "2026-11-23T12:00:00"}, "`at` is not a time with its zone"),
        ({"probe": None}, "`probe` is missing"),
        ({"module": 1}, "`module` is not text"),
        ({"duration": "1"}, "`duration` is not a number"),
        ({"duration": True}, "`duration` is not a number"),
        ({"duration": -1}, "`duration` is out of range"),
        *(({"phases": {"dns": far}}, "`dns` is out of range") for far in (math.nan, -math.inf, 10**16, -(10**16))),
        ({"http": [200]}, "`http` is not an object"),
        ({"http": {}}, "`http.status` is missing"),
        ({"http": {"status": 200, "headers": {"age": 3}}}, "`headers` holds something that is not text"),
        ({"steps": {}}, "`steps` is not a list"),
    ],
)
def test_what_is_no_observation(wrong: dict[str, Any], said: str) -> None:
    """It says so, with the field, instead of making one up."""
    with pytest.raises((TypeError, ValueError), match=said):
        observation_from_json({"at": "2026-11-23T12:00:00Z", "probe": "x", **wrong})


def test_header_names_are_lower_case() -> None:
    """However the recording spelled them."""
    raw = {"at": "2026-11-23T12:00:00Z", "probe": "x", "http": {"status": 200, "headers": {"Retry-After": "3"}}}

    observation = observation_from_json(raw)

    assert observation.http is not None
    assert observation.http.headers == {"retry-after": "3"}
    assert observation.http.content_length == -1


def test_times_are_utc_with_milliseconds() -> None:
    """One form, whatever zone a time was in; a time without a zone is none."""
    local = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-3)))

    assert stamp(local) == "2026-11-23T12:00:00.123Z"
    assert moment("2026-11-23T09:00:00-03:00") == datetime(2026, 11, 23, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        moment("2026-11-23T12:00:00")
