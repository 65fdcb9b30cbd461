"""`monitor explain`: what a code means, whose it is and what to do. Needs no configuration."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from monitor.config.file import theme_dir
from monitor.core.guide import HEADS, Entry, entry, nearest
from monitor.core.text import in_language
from monitor.core.wording import Sentence
from monitor.mask import clean
from monitor.pages.translate import Speech

LANGUAGES = ("en", "pt-BR", "es")  # of the theme that comes along


def explain(code: str, language: str | None, as_json: bool) -> int:
    """Prints it; 0, or 1 for a code that nobody knows, 2 for a language that nobody speaks."""
    spoken = next((one for one in LANGUAGES if language and one.lower() == language.lower()), None)
    if language is not None and spoken is None:
        print(f"--lang: must be one of {', '.join(LANGUAGES)}", file=sys.stderr)
        return 2
    found = entry(code)
    if found is None:
        meant = nearest(code)
        hint = f"; did you mean {meant}?" if meant else ": the whole list is on the page /codes/"
        print(f"{clean(code)[:80]} is no code that the monitor knows{hint}", file=sys.stderr)
        return 1
    speech = Speech.load(LANGUAGES, theme_dir())
    told = _told(found, speech, (spoken,) if spoken else LANGUAGES)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    tongue = spoken or LANGUAGES[0]
    lines = [(speech.gettext(tongue, head), in_language(told[key], tongue)) for key, head in HEADS.items()]
    width = max(len(head) for head, _ in lines) + 2
    print(found.code)
    for head, text in lines:
        print(f"  {head:<{width}}{text}")
    return 0


def _told(found: Entry, speech: Speech, languages: tuple[str, ...]) -> dict[str, Any]:
    def every(sentences: Sentence | Iterable[Sentence]) -> dict[str, str]:
        text = speech.every(sentences)
        return {one: text[one][:1].upper() + text[one][1:] for one in languages}

    return {
        "code": found.code,
        "kind": found.kind,
        "meaning": every(found.meaning),
        "whose": every(found.whose),
        "advice": every(found.advice),
        "module": found.module,
        "blame": found.blame,
        "class": found.cls,
    }
