"""Digests in their stored form."""

import json

import pytest

from monitor.core.digest import Digest, Line, digest_from_json, digest_to_json
from monitor.core.wording import Place
from tests.stories.beats import START


@pytest.mark.parametrize(
    "what",
    ["catalog", {"en": "Catalog", "pt-BR": "Catálogo"}, ("x", "y"), ({"en": "Cart"}, ({"en": "Search"}, "x"))],
    ids=["an id", "a name", "places", "names of names"],
)
def test_the_stored_form_gives_a_digest_back(what: Place) -> None:
    """Whatever its lines are about."""
    line = Line("k3f09a", what, "http.503", "low", START, reopened=1)
    digest = Digest(START, fixed=True, lines={line.incident: line}, unended=frozenset("ab"))
    assert digest_from_json(json.loads(json.dumps(digest_to_json(digest)))) == digest
