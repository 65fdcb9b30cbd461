"""Site: every file of one publication, from one picture, so that no two of them can disagree."""

from pathlib import Path

from monitor.pages.api import api_files
from monitor.pages.badges import badge_files
from monitor.pages.card import card_files
from monitor.pages.crawlers import crawler_files
from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from monitor.pages.render import html_files
from monitor.pages.slice import Slice
from monitor.pages.statuspage import statuspage_files
from monitor.pages.translate import Speech


def site_files(picture: Picture, speech: Speech, theme: Path, part: Slice | None = None) -> dict[str, bytes]:
    """The whole site by path below its root, or as much of its pages as the slice takes."""
    pages = html_files(picture, speech, theme, part)
    return {
        **pages,
        **statuspage_files(picture, speech),
        **api_files(picture, speech),
        **feed_files(picture, speech),
        **badge_files(picture, speech),
        **card_files(picture, speech, theme),
        **crawler_files(picture, speech, pages),
    }
