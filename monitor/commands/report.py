"""`monitor report`: a month, a quarter or any stretch of time as a page, as tables and as JSON.

Exit status 0; 2 for a period, a format or a language that there is none of.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.commands.period import moment
from monitor.commands.remembered import Remembered, remembered
from monitor.commands.report_data import availability_csv, incidents_csv, report_json
from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.core.period import Period, before, named, so_far
from monitor.core.report import Report
from monitor.core.report import report as made
from monitor.pages.facts import Facts
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.render import standalone
from monitor.pages.report import report_view
from monitor.pages.translate import Speech

FORMATS = ("html", "csv", "json")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    month: str | None
    quarter: str | None
    since: str | None
    until: str | None
    formats: str
    lang: str | None
    output: str | None


async def report(config: Config, data: Path, asked: Asked) -> int:
    """Writes the report."""
    now, zone = datetime.now(UTC), ZoneInfo(config.site.timezone)
    try:
        whole = _period(asked, now, config.site.timezone)
        formats = _formats(asked)
        language = _language(asked.lang, config.site.languages)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if whole.since >= now:
        print("the period lies in the future: nothing is known of it yet", file=sys.stderr)
        return 2
    earlier = before(whole, zone)
    past = await remembered(config, data, earlier.since)
    period, earlier = so_far(whole, earlier, now)
    found = made(past.availability(earlier.since), whole, period, earlier, zone, config.site.plans)
    files = _files(found, past, config, language, formats, now)
    try:
        _write(files, formats, asked.output)
    except BrokenPipeError:
        raise  # whoever read has enough: no trouble to tell of
    except OSError as error:
        print(f"{error.filename or asked.output}: {error.strerror}: choose another --output", file=sys.stderr)
        return 1
    return 0


def _period(asked: Asked, now: datetime, zone: str) -> Period:
    span = asked.since is not None or asked.until is not None
    if (asked.month is not None) + (asked.quarter is not None) + span != 1:
        raise ValueError("say either --month, or --quarter, or --from with --until")
    for name, said in (("--month", asked.month), ("--quarter", asked.quarter)):
        if said is not None:
            try:
                found = named(said, ZoneInfo(zone))
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
            if found.is_quarter != (name == "--quarter"):
                wanted = "a quarter such as 2026-Q4" if name == "--quarter" else "a month such as 2026-11"
                raise ValueError(f"{name} must be {wanted}")
            return found
    if asked.since is None:
        raise ValueError("--until needs a --from")
    since, until = (
        _moment(name, said, now, zone) for name, said in (("--from", asked.since), ("--until", asked.until or "now"))
    )
    if since >= until:
        raise ValueError("--until must be later than --from")
    return Period("", since, until)


def _moment(name: str, said: str, now: datetime, zone: str) -> datetime:
    try:
        return moment(said, now, zone)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _formats(asked: Asked) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys(one.strip() for one in asked.formats.split(",") if one.strip()))
    wrong = [one for one in formats if one not in FORMATS]
    if wrong or not formats:
        raise ValueError(f"--format is one of {', '.join(FORMATS)}, or several with commas, not `{asked.formats[:60]}`")
    if len(formats) > 1 and asked.output is None:
        raise ValueError("several formats need a folder: --output DIR")
    return formats


def _language(said: str | None, languages: tuple[str, ...]) -> str:
    for one in languages:
        if said is None or one.lower() in (said.lower(), said.partition("-")[0].lower()):
            return one
    close = [one for one in languages if said and one.partition("-")[0].lower() == said.partition("-")[0].lower()]
    if close:
        return close[0]
    raise ValueError(f"--lang is one of {', '.join(languages)}")


def _files(
    found: Report, past: Remembered, config: Config, language: str, formats: tuple[str, ...], now: datetime
) -> Mapping[str, bytes]:
    """The files of every format, by the ending of their name."""
    theme = theme_dir(config.site.theme)
    speech = Speech.load(config.site.languages, theme)
    files: dict[str, bytes] = {}
    if "html" in formats:
        lens = Lens(Facts(Picture(config.site, past.board, past.history, now)), speech, language)
        files[".html"] = standalone(lens, "report_alone", report_view(lens, found), theme)
    if "csv" in formats:
        files["-availability.csv"] = availability_csv(found, config.platform, language)
        files["-incidents.csv"] = incidents_csv(found, config.platform, speech, language)
    if "json" in formats:
        files[".json"] = report_json(found, config.platform, speech, now)
    return files


def _write(files: Mapping[str, bytes], formats: tuple[str, ...], output: str | None) -> None:
    """To a folder everything; to a file or standard output the one format, of tables the first."""
    if output is None:
        sys.stdout.buffer.write(next(iter(files.values())))
        sys.stdout.buffer.flush()
        return
    place = Path(output)
    if len(formats) == 1 and not place.is_dir() and not output.endswith("/"):
        place.write_bytes(next(iter(files.values())))
        return
    place.mkdir(parents=True, exist_ok=True)
    for ending, content in files.items():
        (place / f"report{ending}").write_bytes(content)
