"""Pages of incidents: whatever board and store know, and however they are cut, nothing is missed or told twice."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
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
