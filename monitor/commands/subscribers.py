"""`monitor subscribers`: who asked to be told. Exit status 0; 1 when nobody is found; 2 for what cannot be."""

from pathlib import Path
from typing import Any

from monitor.commands.errand import change, look, tell_refusal
from monitor.commands.printing import print_json, print_table
from monitor.config import Config

_HEADINGS = ("ID", "KIND", "CONFIRMED", "LANGUAGE", "ABOUT", "OF")


async def list_(config: Config, data: Path, as_json: bool) -> int:
    """Prints how many there are, and each without its address."""
    answer = await look(config, data, "/subscribers")
    if tell_refusal(answer):
        return answer.exit_status
    if as_json:
        for one in answer.body["subscribers"]:
            print_json(one)
        return 0
    counts = answer.body["counts"]
    for kind, count in counts.items():
        print(f"{kind}: {count['confirmed']} confirmed, {count['unconfirmed']} not")
    if rows := [_row(one) for one in answer.body["subscribers"]]:
        print_table(_HEADINGS, *rows)
    return 0


async def export(config: Config, data: Path, address: str | None, author: str | None) -> int:
    """Prints everything that is kept, one subscriber a line."""
    body = {key: text for key, text in (("address", address), ("author", author)) if text is not None}
    answer = await change(config, data, "POST", "/subscribers/export", body)
    if tell_refusal(answer):
        return answer.exit_status
    for one in answer.body["subscribers"]:
        print_json(one)
    return 0 if answer.body["subscribers"] or address is None else 1


async def erase(config: Config, data: Path, whom: str, author: str | None) -> int:
    """Forgets an address, or the subscription of an id."""
    key = "address" if "@" in whom or "://" in whom else "id"
    body = {key: whom} | ({} if author is None else {"author": author})
    answer = await change(config, data, "POST", "/subscribers/erase", body)
    if tell_refusal(answer):
        return answer.exit_status
    print(f"erased: {answer.body['erased']}")
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    components = "everything" if one["components"] is None else ",".join(one["components"])
    return one["id"], one["kind"], one["confirmed_at"] or "no", one["language"], ",".join(one["topics"]), components
