"""The words of a cause: its code and its class, where they are not simply those of the root."""

from dataclasses import replace

import pytest

from monitor.core.incident import Cause
from monitor.core.module import Status
from monitor.core.observation import Http
from tests.stories.beats import START, module, observation, story

MINUTES = 5


def cause_behind_a_gateway(page: str) -> Cause:
    """What is said when a gateway and the three modules behind it answer 503 with this page."""
    told = story(module("a"), module("b"), module("c"), replace(module("gateway"), gateway=True))
    names = list(told.board.platform.modules)
    told.play(dict.fromkeys(names, "++"))
    for beat in range(2, 2 * MINUTES):
        for name in names:
            one = observation(name, START.replace(minute=beat // 2, second=beat % 2 * 30), "-")
            told.feed(replace(one, http=Http(503, bytes=len(page), excerpt=page)))
        told.tick()
    (incident,) = told.incidents
    assert incident.cause.module == "gateway"
    return incident.cause


@pytest.mark.parametrize(
    ("page", "code", "cls"),
    [
        ("<h1>Service unavailable</h1>", "http.503", "network_or_edge"),
        ("<h1>Under maintenance</h1>", "content.maintenance", "deploy_or_config_change"),
    ],
    ids=["any error", "a page of planned work"],
)
def test_trouble_of_a_gateway_is_of_the_network_unless_it_says_itself_what_it_is(
    page: str, code: str, cls: str
) -> None:
    """Requests of all others pass through it; a page of maintenance is its own word."""
    cause = cause_behind_a_gateway(page)
    assert (cause.code, cause.cls) == (code, cls)


def test_where_nobody_is_named_the_code_is_that_of_the_likeliest() -> None:
    """Three that need each other in a circle: the first to fail answers 503, the other two no longer."""
    told = story(module("a", "b"), module("b", "c"), module("c", "a"))
    told.play({"a": "++------", "b": "+++ttttt", "c": "+++ttttt"})
    assert {told.board.status(id) for id in "abc"} == {Status.DOWN}
    (incident,) = told.incidents
    assert (incident.cause.module, incident.cause.likely[0], incident.cause.code) == (None, "a", "http.503")
