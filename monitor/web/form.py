"""Form: what a browser sends of a form of ours, as the object that the API would be sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from monitor.web.patience import SLOWEST

UTF_8 = ("utf-8", "utf8")
FORM = "application/x-www-form-urlencoded"
TEXTS = ("title", "message", "summary", "reason")
LISTS = ("modules", "components", "groups", "priorities", "excuses")


@dataclass(frozen=True, slots=True)
class Form:
    """`typed` are the fields by name, the last of each but for lists; the rest is what we wrote into it. `seen` is how
    many acts of people the page told of its incident."""

    csrf: str
    request: str | None
    back: str
    number: int
    seen: int | None
    typed: Mapping[str, Any]

    def key(self, act: str) -> str | None:
        """What names the request: the forms of one page share what we wrote, so it names the act as well."""
        return self.request and f"{self.request}:{act}{self.number or ''}"


async def form_of(request: web.Request) -> Form:
    """The form that was sent. Raises the answer 400, 408, 413 or 415 for what is none."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType(text="This is no form of ours.")
    if (request.charset or "utf-8").lower() not in UTF_8:  # some codecs take seconds over a form
        raise web.HTTPUnsupportedMediaType(text="This is no form of ours.")
    try:
        async with asyncio.timeout(SLOWEST):
            fields = await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The form did not arrive.") from None
    except (ValueError, LookupError):  # no UTF-8, or a charset that nobody knows
        raise web.HTTPBadRequest(text="This is no form of ours.") from None
    typed: dict[str, Any] = {name: str(text) for name, text in fields.items()}
    typed |= {name: [str(one) for one in fields.getall(name)] for name in LISTS if name in fields}
    number = _whole(typed.get("number"))
    return Form(
        csrf=str(typed.pop("csrf", "")),
        request="".join(one for one in str(typed.pop("request", ""))[:150] if one.isprintable()) or None,
        back=str(typed.pop("back", "")),
        number=number or 0,
        seen=_whole(typed.pop("seen", None)),
        typed=typed,
    )


def _whole(text: Any) -> int | None:
    text = str(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def filled(act: str, form: Form) -> dict[str, Any]:
    """The object that says the same. Texts come as `message.en`; a field that was left empty says nothing."""
    typed, found = form.typed, dict[str, Any]()
    for key in TEXTS:
        texts = {name.partition(".")[2]: text for name, text in typed.items() if name.startswith(f"{key}.")}
        if texts:
            found[key] = {language: text for language, text in texts.items() if text.strip()}
    found |= {key: typed[key] for key in LISTS if key in typed}
    found |= {key: typed[key] for key in ("status", "impact", "priority") if typed.get(key)}
    if act == "edit" and "impact" in typed:
        found["impact"] = typed["impact"] or None
    if typed.get("confirm_cause"):
        found["confirm_cause"] = True if typed["confirm_cause"] == "yes" else typed["confirm_cause"]
    if typed.get("started_at"):
        found["started_at"] = f"{typed['started_at']}Z"  # the field says that it is UTC
    if typed.get("draft"):
        found["draft"] = True
    return found
