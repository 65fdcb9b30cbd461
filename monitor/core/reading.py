"""Reading: whether a text that a person wrote can be shown, and what of it."""

import re
from collections.abc import Mapping

from monitor.core.effect import Refusal
from monitor.core.text import Text
from monitor.core.unseen import UNSEEN

_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
LONGEST = 10_000  # characters
LONGEST_SUMMARY = 2000
LONGEST_LINE = 200


def read_text(
    said: Mapping[str, str], what: str, languages: tuple[str, ...], longest: int = LONGEST, *, needed: bool = True
) -> Text | Refusal:
    """The texts by language, without what cannot be seen and without blanks around them; or why they cannot be read.

    Languages that are left empty are left out. `longest` is in characters.
    """
    found: dict[str, str] = {}
    for language, text in said.items():
        if languages and language not in languages:
            known = ", ".join(languages)
            return Refusal("wrong", f"this site does not speak `{language[:40]}`; it speaks {known}")
        text = UNSEEN.sub("", _BREAKS.sub("\n", text)).strip()
        if len(text) > longest:
            return Refusal("wrong", f"the {what} is longer than {longest:,} characters")
        if text:
            found[language] = text
    if needed and not found:
        return Refusal("wrong", f"the {what} is empty")
    return found


def read_line(said: Mapping[str, str], what: str, languages: tuple[str, ...], *, needed: bool = True) -> Text | Refusal:
    """The same for a text of one line, such as a headline."""
    lines = {language: " ".join(text.split()) for language, text in said.items()}
    return read_text(lines, what, languages, LONGEST_LINE, needed=needed)
