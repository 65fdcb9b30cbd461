"""Calendar: planned work as iCalendar (RFC 5545), to subscribe to.

Every piece of work is an event of its own, in UTC, so that no program has to know our zones or expand our rules.
Its UID never changes, its SEQUENCE rises with each change, and withdrawn work stays in the file as cancelled.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from monitor.core.announcement import work_message, work_title
from monitor.core.maintenance import GOING_ON, Maintenance, WorkStage
from monitor.pages.picture import Picture
from monitor.pages.translate import Speech
from monitor.pages.works import with_pages

HEAD = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//vtex-monitor//maintenance//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
)
# RFC 5545 wants at least one component; this one stands in while nothing is planned.
NOTHING = (
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)


def calendar(picture: Picture, speech: Speech, language: str, under: str, name: str) -> str:
    """The calendar of one language, whose pages live `under` a folder. A client that follows it asks twice a day."""
    lines = [*HEAD, f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT12H"]
    pages = {one.id for one in with_pages(picture)}
    root = f"{picture.site.url}/{under}"
    for work in picture.works:
        page = f"incidents/{work.id}/" if work.id in pages else "maintenance/"
        lines += _event(work, picture, speech, language, root + page)
    return "".join(_folded(line) for line in [*lines, *(() if picture.works else NOTHING), "END:VCALENDAR"])


def _event(work: Maintenance, picture: Picture, speech: Speech, language: str, page: str) -> list[str]:
    host = urlsplit(picture.site.url).hostname or "localhost"
    begins, ends = work.planned_from, work.planned_until
    if work.stage is WorkStage.COMPLETED:
        begins, ends = work.started_at or begins, work.ended_at or ends
    said = speech.say(language, work_message(work)) if work.message else ""
    gone = work.stage is WorkStage.CANCELLED
    return [
        "BEGIN:VEVENT",
        f"UID:{work.id}@{host}",
        f"SEQUENCE:{work.sequence}",
        f"DTSTAMP:{_utc(work.updated_at)}",
        f"CREATED:{_utc(work.announced_at)}",
        f"LAST-MODIFIED:{_utc(work.updated_at)}",
        f"DTSTART:{_utc(begins)}",
        f"DTEND:{_utc(max(ends, begins + timedelta(seconds=1)))}",
        f"SUMMARY:{_text(speech.say(language, work_title(work)))}",
        *([f"DESCRIPTION:{_text(said)}"] if said else []),
        f"URL:{page}",
        f"STATUS:{'CANCELLED' if gone else 'CONFIRMED'}",
        f"TRANSP:{'OPAQUE' if work.stage in GOING_ON else 'TRANSPARENT'}",
        "END:VEVENT",
    ]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    lines = "\n".join(text.splitlines())
    kept = "".join(char for char in lines if char == "\n" or (char >= " " and char != "\x7f"))
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


@lru_cache(maxsize=1024)
def _folded(line: str) -> str:
    """A content line with its break, no piece of it longer than 75 octets and no character cut in two."""
    pieces, piece, size = [], "", 0
    for char in line:
        width = len(char.encode("utf-8", "replace"))
        if size + width > 75:
            pieces.append(piece)
            piece, size = " ", 1
        piece += char
        size += width
    return "\r\n".join([*pieces, piece]) + "\r\n"
