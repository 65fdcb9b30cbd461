"""The calendar of planned work, read by an independent parser."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from icalendar import Calendar
from icalendar.cal import Component

from monitor.core.agenda import Agenda, WorkAct, acted, withdrawn
from monitor.pages.calendar import _folded
from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from tests.pages import pictures
from tests.pages.conftest import loaded
from tests.pages.pictures import NOW


def written(seen: Picture, path: str = "maintenance.ics") -> str:
    return feed_files(seen, loaded())[path].decode()


def events(text: str) -> dict[str, Component]:
    """The events by their UID, after a strict look at the whole."""
    calendar = Calendar.from_ical(text)
    assert calendar.errors == []
    found = calendar.walk("VEVENT")
    for one in found:
        assert one.errors == []
        for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "STATUS", "URL"):
            assert name in one, name
        assert one["DTSTART"].dt.tzinfo is not None
        assert one["DTEND"].dt > one["DTSTART"].dt
    by_uid = {str(one["UID"]): one for one in found}
    assert len(by_uid) == len(found)
    return by_uid


@pytest.mark.parametrize("path", ["maintenance.ics", "en/maintenance.ics", "es/maintenance.ics"])
def test_every_piece_of_work_is_an_event_of_its_own(path: str) -> None:
    """What is to come, under way, over and withdrawn, with the plan, or with what became of it."""
    found = events(written(pictures.working(), path))
    works = {f"{one.id}@status.example.com": one for one in pictures.works()}
    assert found.keys() == works.keys()
    for uid, one in found.items():
        assert (one["DTSTART"].dt, one["DTEND"].dt) == (works[uid].planned_from, works[uid].planned_until)
        assert one["STATUS"] == ("CANCELLED" if works[uid].stage == "cancelled" else "CONFIRMED")
        assert one["SEQUENCE"] == works[uid].sequence
        assert isinstance(one["DTSTART"].dt, datetime)
        assert str(one["URL"]).startswith(f"https://status.example.com/{path.rpartition('/')[0]}")


def test_texts_are_those_of_the_language() -> None:
    assert "SUMMARY:Manutenção semanal" in written(pictures.working())
    assert "SUMMARY:Weekly works" in written(pictures.working(), "en/maintenance.ics")


def test_a_change_keeps_the_uid_and_raises_the_sequence() -> None:
    """A program that follows the calendar moves the event instead of showing a second one."""
    seen = pictures.working()
    one = next(work for work in seen.works if work.stage == "scheduled")
    uid = f"{one.id}@status.example.com"
    before = events(written(seen))[uid]["SEQUENCE"]
    extended = acted(one, WorkAct.EXTEND, one.planned_until.replace(minute=59), None, NOW)
    for after, status in ((extended, "CONFIRMED"), (withdrawn(extended, NOW), "CANCELLED")):
        board = replace(seen.board, agenda=Agenda({**seen.board.agenda.works, after.id: after}))
        now = events(written(replace(seen, board=board)))[uid]
        assert now["SEQUENCE"] > before
        assert now["STATUS"] == status
        before = now["SEQUENCE"]


@pytest.mark.parametrize(
    "text",
    [
        "a;b,c\\d",
        "one\ntwo\r\nthree",
        "END:VEVENT\r\nBEGIN:VALARM",
        "\x00\x07\u2028\x7f",
        "ã" * 200,
        "<script>alert(1)</script>",
    ],
)
def test_hostile_text_stays_text(text: str) -> None:
    """Whatever stands in a title, there are as many events as pieces of work, and nothing else."""
    found = events(written(pictures.hostile(text or "x")))
    assert len(found) == len(pictures.works())
    said = str(next(iter(found.values()))["SUMMARY"])
    assert [line.strip("\x00\x07\x7f") for line in text.splitlines()] == said.split("\n")


def test_it_is_valid_though_nothing_is_planned() -> None:
    """RFC 5545 wants a component in every calendar: a time zone stands in."""
    text = written(pictures.green())
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert re.findall(r"^BEGIN:(\w+)", text, re.M) == ["VCALENDAR", "VTIMEZONE", "STANDARD"]
    assert Calendar.from_ical(text).errors == []


def test_lines_are_short_and_end_as_they_must() -> None:
    """No piece of a line is longer than 75 octets, and no bare line feed stands anywhere."""
    text = written(pictures.hostile("ã" * 300))
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")


def test_folding_cuts_no_character_in_two() -> None:
    assert _folded("X" * 74 + "ã") == "X" * 74 + "\r\n ã\r\n"
