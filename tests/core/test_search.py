"""Pages of incidents: whatever board and store know, and however they are cut, nothing is missed or told twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.incident import Incident
from monitor.core.search import KINDS, Place, Search, page_of, place_of
from tests.store.past import NOON, incident

DAY = timedelta(days=1)


@st.composite
def shops(draw: st.DrawFn) -> tuple[list[Incident], dict[str, Incident]]:
    """What is stored, and what the board knows better: some of it has ended meanwhile, some of it is not stored yet."""
    starts = draw(st.lists(st.integers(0, 9), max_size=8))
    every = [incident(f"m{n}", NOON - hours * DAY / 24) for n, hours in enumerate(starts)]
    stored = [one for one in every if draw(st.booleans())]
    ended = {
        one.id: replace(one, resolved_at=NOON) if draw(st.booleans()) else one
        for one in every
        if one not in stored or draw(st.booleans())
    }
    return stored, ended


DRAFT = replace(incident("checkout", NOON), published_at=None)
OPEN = incident("checkout", NOON)
OVER = incident("checkout", NOON, NOON + DAY)
OTHER = incident("catalog", NOON)
WHAT = {"draft": DRAFT, "open": OPEN, "over": OVER, "other": OTHER}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param(Search(), "draft open over other", id="all"),
        pytest.param(Search("draft"), "draft", id="that readers do not see yet"),
        pytest.param(Search("open"), "draft open other", id="that go on"),
        pytest.param(Search("resolved"), "over", id="that are over"),
        pytest.param(Search("investigating"), "draft open other", id="at a stage"),
        pytest.param(Search("identified"), "", id="at another stage"),
        pytest.param(Search(module="catalog"), "other", id="of a module"),
        pytest.param(Search(module="router"), "", id="of a module that has none"),
        pytest.param(Search(since=NOON + DAY / 2), "draft open over other", id="that went on later"),
        pytest.param(Search(since=NOON + DAY), "draft open other", id="that were not over by then"),
        pytest.param(Search(until=NOON), "", id="that began before"),
        pytest.param(Search(until=NOON + DAY / 2), "draft open over other", id="that began by then"),
        pytest.param(Search("open", module="checkout", until=NOON + DAY), "draft open", id="all of it at once"),
    ],
)
def test_what_is_sought_is_what_agrees_with_everything_given(search: Search, found: str) -> None:
    """And nothing else."""
    assert [name for name, one in WHAT.items() if search.finds(one)] == found.split()


@example(([incident(f"m{n}", NOON - n * DAY) for n in range(3)], {}), 2, None)
@given(shops(), st.integers(1, 4), st.sampled_from([None, *KINDS]))
def test_pages_together_are_everything_that_is_sought_once_and_in_order(
    shop: tuple[list[Incident], dict[str, Incident]], limit: int, status: str | None
) -> None:
    """As if all of it had been on one page, as the board knows it."""
    stored, board = shop
    now = {one.id: one for one in stored} | board
    wanted = sorted(filter(Search(status).finds, now.values()), key=place_of, reverse=True)
    found: list[Incident] = []
    last: Place | None = None
    for _ in range(20):
        search = Search(status, after=last, limit=limit)
        kept = sorted(filter(search.finds, stored), key=place_of, reverse=True)[: limit + 1]
        page, last = page_of(search, board.values(), kept)
        assert len(page) <= limit
        found += page
        if last is None:
            break
    assert [one.id for one in found] == [one.id for one in wanted]
