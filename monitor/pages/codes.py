"""Codes: a page of every code, what it means, whose it is and what to do."""

from dataclasses import dataclass

from monitor.core.guide import HEADS, Entry, alike, entries, help_for
from monitor.core.wording import N_
from monitor.pages.cells import cell
from monitor.pages.lens import Lens
from monitor.pages.view import Link

FAMILIES = {
    "dns": N_("Finding the address (DNS)"),
    "tcp": N_("Connecting"),
    "tls": N_("Secure connection"),
    "http": N_("Answers (HTTP)"),
    "cdn": N_("Content network and edge"),
    "lb": N_("Content network and edge"),
    "edge": N_("Content network and edge"),
    "blocked": N_("Checks that are refused"),
    "content": N_("Content of answers"),
    "step": N_("Steps of a purchase"),
    "upstream": N_("Named by others"),
    "self": N_("The monitor itself"),
}
PLATFORM = N_("VTEX codes that name a part of the platform")
SHOP = N_("VTEX codes about the shop or the request")


@dataclass(frozen=True, slots=True)
class CodeRow:
    """Codes that mean the same. `module` leads to the module that they name here, `help` to where more is said."""

    codes: tuple[str, ...]
    meaning: str
    whose: str
    advice: str
    module: Link | None
    help: str


@dataclass(frozen=True, slots=True)
class CodesView:
    """Rows by family, and what stands above their columns."""

    heads: tuple[str, ...]
    families: tuple[tuple[str, str, tuple[CodeRow, ...]], ...]  # id, name, rows


@cell
def codes_page(lens: Lens) -> CodesView:
    """The page."""
    found: dict[str, list[CodeRow]] = {}
    for some in alike(entries()):
        found.setdefault(_family(some[0]), []).append(_row(lens, some))
    families = tuple((f"f{n}", lens.word(name), tuple(rows)) for n, (name, rows) in enumerate(found.items(), 1))
    return CodesView(tuple(map(lens.word, HEADS.values())), families)


def _family(one: Entry) -> str:
    if one.kind == "cause":
        return FAMILIES[one.code.partition(".")[0]]
    return SHOP if one.module is None else PLATFORM


def _row(lens: Lens, some: tuple[Entry, ...]) -> CodeRow:
    one = some[0]
    platform, url = lens.facts.platform, help_for(one.code, lens.facts.site.help)
    named = platform.named_by(one.code) if one.kind == "vtex" else None
    meaning = one.meaning
    if len(some) > 1 and "{status}" in meaning.message:
        meaning = type(meaning)(meaning.message, {"status": f"{one.code.rpartition('.')[2][:1]}xx"})
    return CodeRow(
        codes=tuple(each.code for each in some),
        meaning=_capital(lens.say(meaning)),
        whose=lens.say(one.whose),
        advice=lens.say(one.advice),
        module=None if named is None else Link(lens.module_name(named), f"modules/{named}/"),
        help=url or "",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
