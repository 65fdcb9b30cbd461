"""Site: every file of one publication, from one picture, so that no two of them can disagree."""

import re
from collections.abc import Callable
from pathlib import Path

from monitor.pages.api import Own
from monitor.pages.badges import Badges
from monitor.pages.card import lay_cards
from monitor.pages.crawlers import lay_crawlers
from monitor.pages.facts import Facts
from monitor.pages.feeds import Writer, lay_feeds
from monitor.pages.picture import Picture
from monitor.pages.render import lay_html, printers
from monitor.pages.slice import Slice
from monitor.pages.statuspage import Statuspage
from monitor.pages.translate import Speech

OF_ONE = re.compile(r"(^|/)(modules|components)/")


def site_files(picture: Picture, speech: Speech, theme: Path, part: Slice | None = None) -> dict[str, bytes]:
    """The whole site by path below its root, or as much of its pages as the slice takes."""
    lay_site(picture, speech, theme, part)
    return dict(picture.cells.found.files)


def is_of_one(path: str) -> bool:
    """Whether a file is about one module or component, of which the home page and others tell as well."""
    return OF_ONE.search(path) is not None


def lay_site(
    picture: Picture,
    speech: Speech,
    theme: Path,
    part: Slice | None = None,
    aside: Callable[[str, bytes], bytes] = lambda path, content: content,
) -> None:
    """Lays it down among what is found from the picture: all `files`, and the paths `changed` that may hold something
    else than what was published last, or nothing any more. Of a new page that is kept which `aside` gives for it;
    what the slice leaves out of the pages that were published before stays as it was."""
    facts, cells = Facts(picture), picture.cells
    printed = printers(facts, speech, theme)
    statuspage, own, badges = Statuspage(picture, speech), Own(facts, speech), Badges(facts, speech)
    writers = [Writer(facts, speech, language) for language in speech.languages]
    part = part or Slice()
    lay_html(printed, part)
    statuspage.lay()
    own.lay()
    lay_feeds(writers)
    badges.lay()
    lay_cards(facts, speech, theme)
    cells.bring(aside, lambda path: is_of_one(path) and part.waits())
    waiting = cells.found.waiting
    lay_crawlers(facts, speech, [printed[0].home, *(path for path in printed[0].paths() if path not in waiting)])
    cells.clear()
