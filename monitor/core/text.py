"""Text: what readers read, in each language that somebody wrote it in."""

from collections.abc import Mapping

Text = Mapping[str, str]  # one text per language tag


def in_language(text: Text, language: str, default: str = "en") -> str:
    """The text in a language, else in its base language, else in the default, else in any."""
    for tag in (language, language.partition("-")[0], default):
        if tag in text:
            return text[tag]
    return next(iter(text.values()), "")
