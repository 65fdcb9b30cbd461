"""Review: what the report of a quarter says in a notice, in every language, and where the whole of it stands."""

from collections.abc import Callable

from monitor.core import quarter
from monitor.core.module import Platform
from monitor.core.review import Told
from monitor.core.short import fitted
from monitor.core.site import Site
from monitor.core.text import Text
from monitor.core.wording import Sentence
from monitor.notify.text import Speaker, Words, lines

DIGITS = 3  # of percentages, as in the report


def of_review(told: Told, platform: Platform, site: Site, speech: Speaker) -> Words:
    """What is said of a quarter."""
    every = _Figures(site, speech)
    name, period, count = told["name"], told["period"]["name"], str(told["incidents"])
    first, short = (
        speech.every(said(name, period, every.share(told["ratio"]), count)) for said in (quarter.first, quarter.short)
    )
    small = {language: fitted(text) for language, text in short.items()}
    parts = (_whole(told, every), _services(told, every), _trouble(told, platform, every))
    return Words(first, small, tuple(lines(part, speech) for part in parts if part))


def page_of(told: Told, site: Site, language: str) -> str | None:
    """Where the report stands in a language; None where the site has no address."""
    if not site.url:
        return None
    folder = "" if language == site.languages[0] or language not in site.languages else f"/{language}"
    return f"{site.url}{folder}/reports/{told['period']['name']}/"


class _Figures:
    """Figures in every language of the site."""

    def __init__(self, site: Site, speech: Speaker) -> None:
        self._languages = site.languages
        self._speech = speech

    def share(self, ratio: float) -> Text:
        return self._every(lambda language: self._speech.percent(language, ratio, DIGITS))

    def wanted(self, objective: float) -> Text:
        digits = len(f"{objective * 100:g}".partition(".")[2])
        return self._every(lambda language: self._speech.percent(language, objective, digits))

    def part(self, share: float) -> Text:
        return self._every(lambda language: self._speech.percent(language, share, 0))

    def length(self, seconds: float) -> Text:
        return self._every(lambda language: self._speech.duration(language, seconds))

    def _every(self, said: Callable[[str], str]) -> Text:
        return {language: said(language) for language in self._languages}


def _whole(told: Told, every: _Figures) -> list[Sentence]:
    found = [
        quarter.stores(tuple(told["stores"])),
        quarter.available(every.share(told["ratio"]), every.share(told["coverage"])),
    ]
    if told["ratio_before"] is not None:
        found.append(quarter.earlier(every.share(told["ratio_before"])))
    if told["ten_minute_ratio"] is not None:
        found.append(quarter.by_rule(every.share(told["ten_minute_ratio"])))
    if (spent := told["objective"]) is not None and spent["kept"] is not None:
        used = spent["lost_seconds"] / spent["allowed_seconds"] if spent["allowed_seconds"] else None
        part = None if used is None else every.part(used)
        found.append(quarter.objective(spent["kept"], every.wanted(spent["objective"]), part))
    longest = told["longest_seconds"]
    found.append(quarter.incidents(told["incidents"], None if longest is None else every.length(longest)))
    if told["detect_seconds"] is not None and told["recover_seconds"] is not None:
        found.append(quarter.taken(every.length(told["detect_seconds"]), every.length(told["recover_seconds"])))
    return found


def _services(told: Told, every: _Figures) -> list[Sentence]:
    return [
        quarter.service(one, every.length(one["limit_seconds"]), every.length(one["worst_seconds"] or 0))
        for one in told["services"]
    ]


def _trouble(told: Told, platform: Platform, every: _Figures) -> list[Sentence]:
    missed = [
        quarter.missed(
            quarter.name_of(one["kind"], one["id"], platform), every.share(one["ratio"]), every.wanted(one["objective"])
        )
        for one in told["missed"]
    ]
    found = [Sentence(quarter.MISSED), *missed] if missed else []
    return [*found, quarter.repeated(told["repeated"], platform)] if told["repeated"] else found
