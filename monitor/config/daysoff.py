"""Days off: the public holidays of a country or one of its parts, as the `holidays` package knows them.

Days that only some take off, such as carnival in Brazil, are no public holidays there: whoever takes them gives their
dates. A notice must not wait for a day on which people work.
"""

from datetime import date
from difflib import get_close_matches
from functools import lru_cache


def wrong_with(region: str) -> str | None:
    """Why there are no holidays of a region such as `BR` or `BR-SP`; None when there are."""
    from holidays import list_supported_countries  # only who names a region pays for it

    country, _, part = region.partition("-")
    known = list_supported_countries(include_aliases=True)
    if country not in known:
        return "names a country whose holidays are not known"
    if part and part not in known[country]:
        parts = [f"{country}-{one}" for one in known[country]]
        return f"names a part of {country} whose holidays are not known{_nearest(region, parts)}"
    return None


def is_off(region: str, day: date) -> bool:
    """Whether a day is a public holiday there."""
    return day in _of_year(region, day.year)


@lru_cache(maxsize=64)
def _of_year(region: str, year: int) -> frozenset[date]:
    from holidays import country_holidays

    country, _, part = region.partition("-")
    return frozenset(country_holidays(country, subdiv=part or None, years=year))


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
