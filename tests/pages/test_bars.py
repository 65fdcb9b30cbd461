"""The bars and their words."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.module import Status
from monitor.core.uptime import Day
from monitor.pages.bars import FINGER, STEP, describe, draw, spots
from monitor.pages.translate import Speech
from tests.pages.conftest import loaded

UP, SLOW, DOWN, DARK = Status.UP, Status.DEGRADED, Status.DOWN, Status.UNKNOWN


def line(*statuses: Status, last: date = date(2026, 5, 12)) -> list[Day]:
    """Days that end on a date; a bad one is bad for 31 minutes."""
    first = last - timedelta(days=len(statuses) - 1)
    return [
        Day(first + timedelta(days=index), status, 1860.0 * (status is DOWN), 1860.0 * (status is SLOW), 1.0)
        for index, status in enumerate(statuses)
    ]


def test_equal_days_are_one_line() -> None:
    """Ninety good days cost one stroke."""
    assert draw(line(*[UP] * 90)).paths == (("ok", "M0 22h450"),)


def test_a_bad_day_stands_taller_in_its_place() -> None:
    """It breaks the line of good days and is drawn over the whole height."""
    paths = dict(draw(line(UP, UP, DOWN, UP, SLOW, DARK)).paths)

    assert paths == {"ok": "M0 22h10M15 22h5", "down": "M10 16h5", "slow": "M20 19h5", "none": "M25 30h5"}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([UP] * 90, "90 days good"),
        ([UP] * 89 + [DOWN], "89 days good; May 12: 31 min down"),
        ([DARK] * 89 + [UP], "1 day good; 89 days without data"),
        ([UP, SLOW], "1 day good; May 12: 31 min slow"),
        ([DARK] * 90, "90 days without data"),
        (
            [DOWN] * 7,
            "May 8: 31 min down; May 9: 31 min down; May 10: 31 min down; May 11: 31 min down; May 12: 31 min down; "
            "2 more days with trouble",
        ),
    ],
)
def test_the_words_say_what_the_bars_show(speech: Speech, statuses: list[Status], expected: str) -> None:
    """Good days are counted, bad ones named, dark ones owned up to."""
    assert describe(line(*statuses), speech, "en").replace("\u00a0", " ") == expected


def test_the_words_are_translated(speech: Speech) -> None:
    """In Portuguese too."""
    told = describe(line(*[UP] * 89, DOWN), speech, "pt-BR").replace("\u00a0", " ")

    assert told == "89 dias bons; 12 de mai.: 31 min fora do ar"


def test_days_with_trouble_can_be_pointed_at(speech: Speech) -> None:
    """Each leads to the worst of the days below one fingertip, and says what each of them was like."""
    days = line(*[UP] * 80, DOWN, SLOW, *[UP] * 7, DOWN)
    near, today = spots(days, speech, "en")

    assert near.date == "2026-05-03"
    assert near.told.replace("\u00a0", " ") == "May 3: 31 min down"
    assert (near.left, near.width) == (8 * FINGER * STEP, FINGER * STEP)
    assert today.date == "2026-05-12"
    assert today.told.replace("\u00a0", " ") == "May 4: 31 min slow; May 12: 31 min down"


@given(st.lists(st.sampled_from([UP, SLOW, DOWN, DARK]), min_size=90, max_size=90))
def test_no_two_fingertips_touch_and_no_day_is_left_out(statuses: list[Status]) -> None:
    """Spots lie side by side within the drawing, and each bad day is told by exactly one."""
    days = line(*statuses)
    found = spots(days, loaded(), "en")

    edges = [edge for spot in found for edge in (spot.left, spot.left + spot.width)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= 90 * STEP for edge in edges)
    assert sum(len(spot.told.split("; ")) for spot in found) == sum(one in (SLOW, DOWN) for one in statuses)
