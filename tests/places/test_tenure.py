"""What two agents of a place asked at one time is taken once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.probe import Probe
from monitor.places.tenure import KEPT, Tenures
from tests.depth import examples

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROBE = Probe("a", "ask", "tcp", timedelta(seconds=10), timedelta(seconds=5), locations=("sao",))


class Account:
    """Of one place with two agents."""

    def __init__(self) -> None:
        self.tenures = Tenures()
        self.tenures.met("sao", "one")
        self.tenures.met("sao", "two")

    def take(self, agent: str, *seconds: float) -> list[float]:
        """The runs of an agent that are taken."""
        return [at for at in seconds if not self.tenures.is_taken("sao", agent, PROBE, START + timedelta(seconds=at))]


def test_a_place_with_one_agent_keeps_no_account() -> None:
    """From the second one on it does."""
    tenures = Tenures()
    tenures.met("sao", "one")
    tenures.met("mia", "two")
    assert not tenures.are_needed("sao")
    tenures.met("sao", "two")
    assert tenures.are_needed("sao")
    assert not tenures.are_needed("mia")


def test_of_one_point_of_the_grid_the_first_run_is_taken() -> None:
    """Clocks that were compared differ by little; a run in between is another one."""
    account = Account()
    assert account.take("one", 0, 10, 20) == [0, 10, 20]
    assert account.take("two", 0.04, 9.97, 20.3) == []
    assert account.take("two", 24, 30, 40) == [24, 30, 40]
    assert account.take("one", 29.9, 40) == []


def test_what_the_one_that_was_cut_off_saw_before_the_other_took_over_is_taken() -> None:
    """It comes last, and most of it is known."""
    account = Account()
    account.take("one", 0, 10)
    account.take("two", *range(43, 300, 10))
    assert account.take("one", *range(20, 300, 10)) == [20, 30, 40]
    assert account.take("one", 310, 320) == [310, 320]
    assert account.take("two", 313) == []


def test_a_time_in_which_nobody_else_asked_is_free() -> None:
    """Also in the middle of that of another agent, who stood still then."""
    account = Account()
    account.take("two", 0, 10, 20, 500, 510)
    assert account.take("one", 100, 110, 120) == [100, 110, 120]
    assert account.take("one", 505) == []


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(0, KEPT - 1)), max_size=80))
def test_no_point_is_ever_taken_from_both(runs: list[tuple[str, int]]) -> None:
    """In whatever order they come, as far back as is remembered."""
    account, taken = Account(), dict[int, str]()
    for agent, point in runs:
        if account.take(agent, 10 * point):
            assert taken.setdefault(point, agent) == agent
