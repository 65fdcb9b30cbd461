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
