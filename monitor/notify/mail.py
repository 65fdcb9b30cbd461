"""Mail: a notice as a MIME message with a text and an HTML part.

A message keeps its id however often it is sent, and all of an incident refer to one that stands for it, so that mail
programs show them as one conversation. What came from outside is cleaned before it gets near a header.
"""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from jinja2 import Environment, StrictUndefined

from monitor.notify.channel import Message
from monitor.notify.content import body_of, incident_of, key_of, line, links_of, priority_of, rest_of, subject_of

SUBJECT, TEXT = 200, 50_000  # characters
URGENT = frozenset({"opened", "worsened", "escalated", "reopened", "clock_breached"})

_HTML = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
    """<!doctype html>
<html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ subject }}</title></head>
<body style="margin:0;padding:24px;background:#fff;color:#1a1a1a;font:16px/1.5 sans-serif;overflow-wrap:anywhere">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{{ subject }}</h1>
{% for paragraph in paragraphs %}
<p style="margin:0 0 12px">{% for words in paragraph %}{% if words in links -%}
<a href="{{ words }}" style="color:#0b57d0">{{ words }}</a>{% elif words == "\n" %}<br>
{% else %}{{ words }}{% endif %}{% endfor %}</p>
{% endfor %}
</body></html>
"""
)


def mail(message: Message, sender: str, now: datetime) -> EmailMessage:
    """The message without its receivers. `now` is aware."""
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    found = EmailMessage(SMTP)
    subject = subject_of(message, SUBJECT)
    found["From"] = Address(name, addr_spec=address)
    found["Subject"] = subject
    found["Date"] = format_datetime(now)
    found["Message-ID"] = _id(f"event:{message.payload.get('event_id')}", domain)
    found["In-Reply-To"] = found["References"] = _id(f"incident:{key_of(message)}", domain)
    found["Auto-Submitted"] = "auto-generated"
    found["X-Auto-Response-Suppress"] = "All"
    found["Content-Language"] = line(message.language, 20) or "en"
    found["X-Monitor-Event"] = line(message.event, 40)
    if id := line(incident_of(message).get("id"), 40):
        found["X-Monitor-Incident"] = id
    if message.event in URGENT and priority_of(message) == "urgent":
        found["Importance"] = "high"
    links = list(links_of(message).values())
    text, rest = body_of(message, TEXT), rest_of(message, TEXT)
    missing = "".join(f"\n{url}" for url in links if url not in text)
    more = f"\n{missing}" if missing else ""
    found.set_content(text + more, cte="quoted-printable")
    found.add_alternative(_html(message, subject, rest + more, links), subtype="html", cte="quoted-printable")
    return found


def _id(key: str, domain: str) -> str:
    """An id made of a key, whatever letters that has."""
    return f"<{sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}@{domain}>"


def _html(message: Message, subject: str, text: str, links: Sequence[str]) -> str:
    paragraphs = [list(_pieces(part, links)) for part in text.split("\n\n") if part.strip()]
    return _HTML.render(language=message.language, subject=subject, paragraphs=paragraphs, links=frozenset(links))


def _pieces(text: str, links: Sequence[str]) -> list[str]:
    """The text in pieces: our own addresses and line ends alone, everything else as it stands between them."""
    pieces = [text]
    for mark in ("\n", *sorted(links, key=len, reverse=True)):
        apart: list[str] = []
        for piece in pieces:
            if piece in links:
                apart.append(piece)
                continue
            first, *rest = piece.split(mark)
            apart.append(first)
            for one in rest:
                apart += [mark, one]
        pieces = [one for one in apart if one]
    return pieces
