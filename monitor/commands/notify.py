"""`monitor notify CHANNEL --test`: a test notice through the real path. The running monitor sends it; where none runs
we take the store ourselves and send it.
"""

import sys
from difflib import get_close_matches
from pathlib import Path

from monitor.clock import SystemClock
from monitor.commands.errand import ask_running, in_turn
from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.core.board import Board
from monitor.core.effect import Answered, Refusal, Said
from monitor.data import database_url, leading, only_one, place_of
from monitor.mailroom import Mailroom
from monitor.pages.translate import Speech
from monitor.store import Store, open_store


async def notify(config: Config, data: Path, channel: str) -> int:
    """Exit status 0 when it was delivered, 1 when it was not, 2 for a channel that is not configured."""
    channels = config.sections.get("channels", {})
    if channel not in channels:
        near = get_close_matches(channel, channels, 1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(channels)}"
        told = known if channels else "there is none in the configuration yet"
        print(f"there is no channel {channel[:100]} under `channels`; {told}", file=sys.stderr)
        return 2

    async def ask() -> tuple[str | None] | None:
        answer = await ask_running(config, data, "POST", f"/channels/{channel}/test", {})
        return answer and (answer.refused if answer.refused is not None else answer.body["reason"],)

    async def take() -> tuple[str | None]:
        return (await _sent_by_ourselves(config, data, channel, place_of(data)),)

    (reason,) = await in_turn(config, ask, take)
    if reason is not None:
        print(f"{channel}: not delivered: {reason}", file=sys.stderr)
        return 1
    print(f"{channel}: delivered")
    return 0


async def _sent_by_ourselves(config: Config, data: Path, channel: str, instance: str) -> str | None:
    """Why it did not arrive. Raises StoreUnusable or StoreFailed when the store cannot be taken."""
    with only_one(data):
        store = await open_store(database_url(config, data))
        try:
            async with leading(store, data):
                return await _through(config, store, channel, instance)
        finally:
            await store.close()


async def _through(config: Config, store: Store, channel: str, instance: str) -> str | None:
    board = Board(config.platform)
    speech = Speech.load(config.site.languages, theme_dir(config.site.theme))
    mailroom = Mailroom(config, store, SystemClock(), lambda: board, _deaf, lambda: speech, instance=instance)
    try:
        reason = await mailroom.test(channel)
    finally:
        await mailroom.close()
    return reason.reason if isinstance(reason, Refusal) else reason


async def _deaf(said: Said) -> Answered:
    return Answered(refusal=Refusal("away", "only a test is sent"))
