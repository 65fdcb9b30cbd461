"""`monitor tickets import`: what was answered in the tickets of incidents, told for the clocks of plans."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from monitor.commands.errand import change, look, tell_refusal
from monitor.config import Config
from monitor.notify.channel import DeliveryFailed
from monitor.notify.zendesk import Zendesk
from monitor.ticketing import MOST, tickets_in


async def import_(config: Config, data: Path, status: str | None) -> int:
    """Prints how many answers were new. Exit status 0; 1 where a ticket cannot be read or an answer is refused; 2 where
    no channel keeps tickets."""
    sections = config.sections.get("channels", {})
    readers = {name: _made(section) for name, section in sections.items() if section["kind"] == "zendesk"}
    if not readers:
        print("no channel of kind `zendesk` is configured", file=sys.stderr)
        return 2
    try:
        return await _read(config, data, readers, status)
    finally:
        for one in readers.values():
            await one.close()


async def _read(config: Config, data: Path, readers: dict[str, Zendesk], status: str | None) -> int:
    listed = await look(config, data, f"/incidents?limit={MOST}" + (f"&status={status}" if status else ""))
    if tell_refusal(listed):
        return 1
    fresh = failed = tickets = 0
    for incident in listed.body["incidents"]:
        answer = await look(config, data, f"/incidents/{incident['id']}")
        if tell_refusal(answer):
            return 1
        for channel, external in tickets_in(answer.body["events"] or (), readers).items():
            tickets += len(external.split())
            try:
                replies = await readers[channel].replies(external)
            except DeliveryFailed as error:
                print(f"{channel}: {error}", file=sys.stderr)
                failed += 1
                continue
            before = len(answer.body["acts"])
            for one in replies:
                body = {"store": one.store or None, "ticket": one.ticket, "at": one.at.isoformat(), "author": channel}
                path = f"/incidents/{quote(incident['id'], safe='')}/reply"
                told = await change(config, data, "POST", path, body, {"Idempotency-Key": one.request})
                if tell_refusal(told):
                    failed += 1
                    continue
                fresh += len(told.body["acts"]) > before
                before = len(told.body["acts"])
    print(f"tickets: {tickets}, new answers: {fresh}")
    return 1 if failed else 0


def _made(section: Any) -> Zendesk:
    return Zendesk(SimpleNamespace(**section))
