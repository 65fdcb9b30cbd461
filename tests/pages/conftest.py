"""What the tests of the pages share: the shipped theme, its languages, and every page of every picture once."""

from functools import cache
from pathlib import Path

import pytest

from monitor.pages.render import html_files
from monitor.pages.translate import Speech
from tests.pages.pictures import STATES

THEME = Path(__file__).parents[2] / "site"
LANGUAGES = ("pt-BR", "en", "es")


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
