"""What is known of modules when very many fail: some are weighed only."""

from datetime import timedelta

import pytest

from monitor.core import findings
from monitor.core.findings import look
from tests.stories.beats import START, module, story


@pytest.mark.parametrize(
    ("most", "long_ago", "about", "weighed"),
    [
        (5, "", "", "abcdn"),
        (2, "", "", "abn"),
        (2, "", "d", "abdn"),
        (1, "", "c", "acn"),
        (1, "a", "", "b"),
        (2, "ab", "", "cd"),
        (4, "a", "", "bcdn"),
    ],
    ids=["all", "the first two", "and what it is about", "one", "not an old one", "not two", "an old one last"],
)
def test_of_a_crowd_the_first_to_fail_are_weighed_with_what_they_need(
    monkeypatch: pytest.MonkeyPatch, most: int, long_ago: str, about: str, weighed: str
) -> None:
    """Those that began to fail about when it was asked for or later; one that is old comes after all of these."""
    monkeypatch.setattr(findings, "MOST_WEIGHED", most)
    told = story(module("a", "n"), *map(module, "bcdn"))
    told.play({"a": "++--------", "b": "+++-------", "c": "++++------", "d": "+++++-----", "n": "++++++----"})
    known = {id: START - timedelta(hours=1) for id in long_ago}
    exhibits, _ = look(told.board, told.now, known, START + timedelta(seconds=60), about)
    assert "".join(sorted(exhibits)) == weighed


def test_who_is_in_an_incident_is_weighed_though_many_failed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extra runs settle some before those that failed first: what fails next has to be found to belong to them."""
    monkeypatch.setattr(findings, "MOST_WEIGHED", 2)
    told = story(*map(module, "abcdx"))
    told.play({**dict.fromkeys("abcd", "++-"), "x": "+++---"})
    (incident,) = told.board.incidents.values()
    assert [member.module for member in incident.members] == ["x"]
    exhibits, _ = look(told.board, told.now, {"x": incident.started_at}, START + timedelta(seconds=60), "d")
    assert "".join(sorted(exhibits)) == "abdx"
