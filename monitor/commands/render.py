"""`monitor render`: the whole site once, from what the store remembers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.core.history import board_from
from monitor.data import database_url
from monitor.pages.packer import Packer
from monitor.pages.picture import DAYS, Picture
from monitor.pages.publish import Publisher, PublishError
from monitor.pages.site import site_files
from monitor.pages.translate import Speech
from monitor.reports import Reports
from monitor.store import open_store


async def render(config: Config, data: Path, output: Path | None) -> int:
    """Writes every page, to `output` as plain files or to the data directory as a publication; either way each text has
    its `.gz` beside it. Exit status 0."""
    now = datetime.now(UTC)
    store = await open_store(database_url(config, data), readonly=True)
    try:
        memory = await store.recall(now - config.platform.tuning.reopen)
        history = await store.history(now - timedelta(days=DAYS + 2), now)
        board = board_from(config.platform, memory)
        reports = await Reports(store).of(config.site, board, history, now)
    finally:
        await store.close()
    theme = theme_dir(config.site.theme)
    speech = Speech.load(config.site.languages, theme)
    files = site_files(Picture(config.site, board, history, now, reports=reports), speech, theme)
    try:
        if output is None:
            Publisher(data).publish(files)
        else:
            _write(files, output)
    except OSError as error:
        raise PublishError(
            f"the site cannot be written ({error.strerror}): make room, or choose another place"
        ) from None
    return 0


def _write(files: Mapping[str, bytes], output: Path) -> None:
    packer = Packer()
    for name, content in files.items():
        file = output / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if (packed := packer.packed(name, content)) is not None:
            file.with_name(f"{file.name}.gz").write_bytes(packed)
