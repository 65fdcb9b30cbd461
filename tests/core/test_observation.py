"""An observation written as JSON and read back is the same observation: a recorded day can be judged again."""

import json
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
    "raw", [{}, {"at": None, "probe": "x"}, {"at": "soon", "probe": "x"}, {"at": "2026-11-23T12:00:00Z"}]
)
def test_what_is_no_observation(raw: dict[str, Any]) -> None:
    """It says so instead of making one up."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        observation_from_json(raw)


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
