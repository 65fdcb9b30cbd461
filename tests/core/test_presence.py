"""How long a heartbeat may be missing before nobody waits for it any more."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.presence import BEAT, LONGEST_MEAN, MOST_SPREAD, PAUSE, Presence, beaten, is_stale, phi
from tests.depth import examples


def heard(*pauses: float) -> Presence:
    """An agent whose heartbeats came with these pauses between them, the first one at 0."""
    presence = beaten(None, 0.0)
    for at in accumulate(pauses):
        presence = beaten(presence, at)
    return presence


def given_up_after(presence: Presence) -> float:
    """Seconds after the last heartbeat at which it is given up, to a tenth."""
    return next(tenth / 10 for tenth in range(2000) if is_stale(presence, presence.heard_at + tenth / 10))


def test_a_regular_agent_is_given_up_within_31_seconds() -> None:
    """Also one that was heard of once only."""
    assert given_up_after(heard(*[BEAT] * 50)) == pytest.approx(30.8, abs=0.11)
    assert given_up_after(heard()) <= 31


def test_one_missing_heartbeat_proves_nothing() -> None:
    """Two of them may get lost on their way."""
    assert not is_stale(heard(*[BEAT] * 50), 50 * BEAT + 29)


def test_an_irregular_agent_is_waited_for_longer_but_not_for_ever() -> None:
    """Trust has an end."""
    longest = given_up_after(heard(*[2.0, 22.0] * 50))
    assert 31 < longest <= LONGEST_MEAN + PAUSE + 6 * MOST_SPREAD


def test_a_burst_of_heartbeats_does_not_make_anybody_impatient() -> None:
    """What was stuck in a queue comes all at once."""
    assert given_up_after(heard(*[0.01] * 200)) > 29


def test_a_long_absence_is_no_habit() -> None:
    """An agent that was away for an hour is given up as soon as any other the next time."""
    presence = beaten(heard(*[BEAT] * 5), 3600.0)
    assert presence.pauses == ()
    assert given_up_after(presence) <= 31


@pytest.mark.property
@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.floats(0, 60), max_size=120), st.floats(0, 1e6), st.floats(0, 1e6))
def test_doubt_only_grows_while_nothing_comes(pauses: list[float], some: float, more: float) -> None:
    """And it is always a number."""
    presence = heard(*pauses)
    assert 0 <= phi(presence, presence.heard_at + some) <= phi(presence, presence.heard_at + some + more)
    assert given_up_after(presence) <= LONGEST_MEAN + PAUSE + 6 * MOST_SPREAD
