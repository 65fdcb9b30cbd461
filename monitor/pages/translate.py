"""Speech: what is said in every language of the site.

English is the source and needs no catalogue; the other languages are read from the theme's `messages.po` as they are,
so a translator edits one text file and nothing has to be compiled. Dates, durations, numbers and lists follow Babel.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from gettext import c2py
from pathlib import Path

from babel import Locale
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_skeleton,
    format_time,
    get_day_names,
    get_timezone,
)
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent

from monitor.core.statement import cut_off
from monitor.core.text import in_language
from monitor.core.wording import N_, Place, Sentence
from monitor.pages.catalogue import catalogue_file, wanted

SOURCE = "en"


@dataclass(frozen=True)
class Speech:
    """The languages of a site, the default one first. `words`: the finished translations of each message by language,
    one per plural form; `plurals`: which form goes with a count."""

    languages: tuple[str, ...]
    theme: Path
    words: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)
    plurals: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, languages: Sequence[str], theme: Path) -> "Speech":
        """Reads the catalogues of the theme. A language without one speaks English; `missing` says so."""
        words, plurals = {}, {}
        for tag in languages:
            file = catalogue_file(theme, tag)
            if file.exists():
                with file.open("rb") as opened:
                    catalogue = read_po(opened, locale=str(_locale(tag)))
                words[tag], plurals[tag] = dict(_finished(catalogue)), catalogue.plural_expr
        return cls(tuple(languages), theme, words, plurals)

    @property
    def default(self) -> str:
        """The language that lives at `/`."""
        return self.languages[0]

    def missing(self, language: str) -> list[str]:
        """Messages of the pages and of the wording that this language has no finished translation of."""
        if language.partition("-")[0] == SOURCE:
            return []
        words = self.words.get(language, {})
        ids = (id if isinstance(id, str) else id[0] for id in wanted(self.theme))
        return sorted(id for id in ids if not all(words.get(id, ("",))))

    # --- words

    def gettext(self, language: str, message: str) -> str:
        """The message in a language; itself where nobody translated it."""
        words = self.words.get(language)
        return (words is not None and words.get(message, ("",))[0]) or message

    def ngettext(self, language: str, singular: str, plural: str, count: int) -> str:
        """The form of the message that goes with a count."""
        forms = self.words.get(language, {}).get(singular, ())
        if forms:
            return forms[min(_plural(self.plurals[language])(count), len(forms) - 1)]
        return singular if count == 1 else plural

    def counted(self, language: str, singular: str, plural: str, count: int) -> str:
        """A counted thing: the right form of the message, with the number in its `{count}`."""
        return self.ngettext(language, singular, plural, count).replace("{count}", _decimal(language, count, "#,##0"))

    def say(self, language: str, sentences: Sentence | Iterable[Sentence]) -> str:
        """Sentences in a language, one after the other, their places filled."""
        if isinstance(sentences, Sentence):
            return self._fill(language, sentences)
        return " ".join(filter(None, (self._fill(language, sentence) for sentence in sentences)))

    def every(self, sentences: Sentence | Iterable[Sentence]) -> dict[str, str]:
        """The same in every language of the site, by tag."""
        several = (sentences,) if isinstance(sentences, Sentence) else tuple(sentences)
        return {language: self.say(language, several) for language in self.languages}

    def names(self, language: str, places: Iterable[Place]) -> str:
        """A list in a language: `a, b and c`."""
        return format_list([self._place(language, one) for one in places], locale=_locale(language))

    def _fill(self, language: str, sentence: Sentence) -> str:
        if language in sentence.instead:
            return sentence.instead[language].translate(_TURNS)
        text = self.gettext(language, sentence.message)
        # Not str.format: what fills a place comes from outside and may hold braces of its own.
        parts = text.split("{")
        filled = [parts[0]]
        for part in parts[1:]:
            name, _, rest = part.partition("}")
            place = sentence.places.get(name)
            filled += ["{" + part] if place is None else [self._place(language, place), rest]
        return "".join(filled)

    def _place(self, language: str, place: Place) -> str:
        if isinstance(place, str):
            return place.translate(_TURNS)
        if isinstance(place, Sentence):
            return self._fill(language, place)
        if isinstance(place, tuple):
            return self.names(language, place)
        return in_language(place, language).translate(_TURNS)

    # --- times and figures

    def moment(self, language: str, at: datetime, zone: str) -> str:
        """A date and a time with its zone: `23 de nov. de 2026, 12:03 BRT`, `Nov 23, 2026, 12:03 UTC-3`."""
        return f"{self.day(language, at, zone)}, {self.clock(language, at, zone)}"

    def clock(self, language: str, at: datetime, zone: str) -> str:
        """The time of day with its zone: `12:03 BRT`."""
        return _clock(language, at.replace(second=0, microsecond=0), zone)

    def hour(self, language: str, at: datetime, zone: str) -> str:
        """The time of day alone, for lines that stand below their zone."""
        return format_time(at, "HH:mm", tzinfo=get_timezone(zone), locale=_locale(language))

    def day(self, language: str, at: datetime | date, zone: str = "UTC") -> str:
        """A date with its year: `23 de nov. de 2026`."""
        return _day(language, _date(at, zone))

    def short_day(self, language: str, at: datetime | date, zone: str = "UTC") -> str:
        """A date without its year: `23 de nov.`."""
        return _short_day(language, _date(at, zone))

    def span(self, language: str, begins: datetime, ends: datetime, zone: str) -> str:
        """From then till then: `23 de nov. de 2026, 12:03 – 14:00 BRT`, the second date only where it differs."""
        if _date(begins, zone) != _date(ends, zone):
            return f"{self.moment(language, begins, zone)} – {self.moment(language, ends, zone)}"
        first, last = self.clock(language, begins, zone), self.clock(language, ends, zone)
        same_zone = first.split("\u00a0")[1:] == last.split("\u00a0")[1:]
        begin = first.split("\u00a0")[0] if same_zone else first
        return f"{self.day(language, begins, zone)}, {begin} – {last}"

    def days(self, language: str, first: date, last: date) -> str:
        """Days from one to another: `20–22 de nov.`."""
        if first == last:
            return _short_day(language, first)
        return format_interval(first, last, "MMMd", locale=_locale(language))

    def weekdays(self, language: str, days: Sequence[int]) -> str:
        """Days of the week, from Monday, 0, on: `Mon–Fri`, `seg., qua.`."""
        names = get_day_names("abbreviated", locale=_locale(language))
        runs: list[list[int]] = []
        for day in days:
            if runs and day == runs[-1][-1] + 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        return ", ".join("–".join(names[day] for day in dict.fromkeys((run[0], run[-1]))) for run in runs)

    def price(self, language: str, amount: float, currency: str) -> str:
        """An amount of money: `R$ 1.200,00`."""
        return format_currency(amount, currency, locale=_locale(language))

    def month(self, language: str, first: date) -> str:
        """A month of a year: `novembro de 2026`."""
        return format_date(first, _MONTH.get(_locale(language).language, "MMMM y"), locale=_locale(language))

    def ago(self, language: str, since: datetime, now: datetime) -> str:
        """How long ago, to the minute: `há 12 min`."""
        passed = max(60.0, (now - since).total_seconds() // 60 * 60)
        return self.gettext(language, N_("{duration} ago")).replace("{duration}", self.duration(language, passed))

    def duration(self, language: str, seconds: float) -> str:
        """A length of time in its two largest units, by international signs: `31 min`, `1 h 12 min`, `2 d 3 h`."""
        whole = round(seconds)
        parts: list[str] = []
        for sign, size in _UNITS:
            count, whole = divmod(whole, size)
            if count or parts or sign == "s":
                parts.append(f"{_decimal(language, count, '#,##0')}\u00a0{sign}" if count else "")
            if len(parts) == 2:
                break
        return " ".join(filter(None, parts)) or "0\u00a0s"

    def percent(self, language: str, ratio: float, decimals: int = 2) -> str:
        """A share, never rounded up to a whole that it is not: `99.98 %`."""
        floored = cut_off(ratio, decimals + 2)
        return _percent(language, floored, "#,##0." + "0" * decimals if decimals and floored < 1 else "#,##0")

    def number(self, language: str, value: float) -> str:
        """A number with at most one decimal, none from ten on."""
        return _decimal(language, value, "#,##0.#" if value < 10 else "#,##0")

    def decimal(self, language: str, value: float, decimals: int) -> str:
        """A number with so many decimals."""
        return _decimal(language, value, "#,##0." + "0" * decimals)


_MONTH = {"pt": "MMMM 'de' y", "es": "MMMM 'de' y"}
# Characters that turn the direction of whatever follows: a name may not reverse the sentence it stands in.
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def _finished(catalogue: Catalog) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The finished translations of each message, by its singular; not of one that has to be looked at again."""
    for one in catalogue:
        if one.id and one.string and not one.fuzzy:
            id = one.id if isinstance(one.id, str) else one.id[0]
            yield id, (one.string,) if isinstance(one.string, str) else tuple(one.string)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


@lru_cache(maxsize=16)
def _plural(expression: str) -> Callable[[int], int]:
    return c2py(expression)


def _date(at: datetime | date, zone: str) -> date:
    return at.astimezone(_zone(zone)).date() if isinstance(at, datetime) else at


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo:
    return get_timezone(name)


# Babel parses its pattern at every call; pages repeat the same few thousand figures.
@lru_cache(maxsize=8192)
def _percent(language: str, ratio: float, pattern: str) -> str:
    return format_percent(ratio, pattern + "\u00a0%", locale=_locale(language))


@lru_cache(maxsize=8192)
def _decimal(language: str, value: float, pattern: str) -> str:
    return format_decimal(value, pattern, locale=_locale(language))


@lru_cache(maxsize=4096)
def _day(language: str, day: date) -> str:
    return format_date(day, "medium", locale=_locale(language))


@lru_cache(maxsize=4096)
def _short_day(language: str, day: date) -> str:
    return format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=_locale(language))  # noqa: DTZ001


@lru_cache(maxsize=4096)
def _clock(language: str, at: datetime, zone: str) -> str:
    local = at.astimezone(_zone(zone))
    abbreviation = format_datetime(local, "zzz", tzinfo=_zone(zone), locale=_locale(language))
    if not abbreviation.isalpha():  # the language has no name of its own for this zone
        seconds = int((local.utcoffset() or timedelta()).total_seconds())
        hours, minutes = divmod(abs(seconds) // 60, 60)
        abbreviation = f"UTC{'-' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
        abbreviation = abbreviation if seconds else "UTC"
    return f"{local:%H:%M}\u00a0{abbreviation}"
