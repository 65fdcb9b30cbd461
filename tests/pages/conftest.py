"""What the tests of the pages share: the shipped theme, its languages, and every page of every picture once."""

from functools import cache
from pathlib import Path

import pytest

from monitor.pages.render import html_files
from monitor.pages.translate import Speech
from tests.pages.pictures import STATES

THEME = Path(__file__).parents[2] / "site"
LANGUAGES = ("pt-BR", "en", "es")
# Every picture by its name. All of them are walked through in CI, the richest, the worst and the emptiest always.
EVERY = [
    one if one in ("troubled", "stormy", "newborn") else pytest.param(one, marks=pytest.mark.slow) for one in STATES
]


@cache
def loaded() -> Speech:
    """The shipped translations."""
    return Speech.load(LANGUAGES, THEME)


@cache
def published(state: str) -> dict[str, bytes]:
    """The HTML files of a picture by its name."""
    return html_files(STATES[state](), loaded(), THEME)


@pytest.fixture(scope="session")
def speech() -> Speech:
    """The shipped translations."""
    return loaded()
