"""The row of a place with agents, on the pages of operators."""

from monitor.core.presence import Attendance
from monitor.pages.facts import Facts
from monitor.pages.lens import Lens
from monitor.pages.places import place_view
from tests.pages import pictures
from tests.pages.conftest import loaded


def test_several_agents_are_named_with_what_each_of_them_asks() -> None:
    """One alone asks everything, and needs no words."""
    seen = pictures.green()
    lens = Lens(Facts(seen), loaded(), "en")
    two = Attendance("sao", seen.now, agents=2, parts={"box-1-3fa90c": 1027, "box-2-77ab12": 913})
    assert "agents: 2 (box-1-3fa90c: 1,027, box-2-77ab12: 913)" in place_view(lens, two).facts
    one = Attendance("sao", seen.now, agents=1, parts={"box-1-3fa90c": 1940})
    assert not any("box-1" in fact for fact in place_view(lens, one).facts)
