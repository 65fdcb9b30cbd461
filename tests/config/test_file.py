"""What is read from disk, and how it can fail."""

import asyncio
import os
import time
from pathlib import Path

import pytest
import trustme

from monitor.config import ConfigError, change, file
from monitor.config.apart import reloaded
from monitor.config.file import catalogues, load, shipped, theme_dir


def fault(path: Path) -> str:
    """The one problem of a file."""
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    path = tmp_path / "probes.yaml"

    assert fault(path) == f"{path}:1:1: cannot be read: no such file or directory"


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    """As mounting a volume that does not exist makes one."""
    assert fault(tmp_path) == f"{tmp_path}:1:1: cannot be read: is a directory"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"", "1:1: the file is empty; it begins with `version: 1`"),
        (b"version: 1\nsite: {name: \xe9}\n", "2:14: not UTF-8: byte 0xe9 has no meaning here"),
        ("site: é\n  \xe9\x00".encode(), "2:4: character U+0000 is not allowed in YAML"),
        (b"#" * 5_000_001, "1:1: larger than 5 MB"),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, raw: bytes, wanted: str) -> None:
    """Each with its place."""
    path = tmp_path / "probes.yaml"
    path.write_bytes(raw)

    assert fault(path) == f"{path}:{wanted}"


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """Wherever the program was started."""
    (tmp_path / "look" / "translations" / "pt_BR" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "look" / "translations" / "pt_BR" / "LC_MESSAGES" / "messages.po").touch()
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "name").write_text("Shop\n")
    path = tmp_path / "probes.yaml"
    path.write_text(
        "version: 1\nsite: {theme: look, languages: [pt-BR, en], name: '${file:name}'}\nmonitor: {ca_file: ca.pem}\n"
        "channels: {broker: {kind: mqtt, url: 'mqtts://broker', cert_file: ours.pem, key_file: /keys/ours.pem}}\n"
    )

    config = load(path, {})

    assert config.site.theme == str(tmp_path / "look")
    assert config.network.ca_file == str(tmp_path / "ca.pem")
    broker = config.sections["channels"]["broker"]
    files = [str(tmp_path / "ca.pem"), str(tmp_path / "ours.pem"), "/keys/ours.pem"]
    assert [broker[key] for key in ("ca_file", "cert_file", "key_file")] == files
    assert config.site.name == "Shop"


def test_a_theme_needs_a_catalogue_for_each_language(tmp_path: Path) -> None:
    """`en` is what templates are written in and needs none."""
    (tmp_path / "look").mkdir()
    path = tmp_path / "probes.yaml"
    path.write_text("version: 1\nsite:\n  theme: look\n  languages: [en, es]\n")

    assert fault(path) == f"{path}:4:19: `languages` names `es`, which has no catalogue in the theme"


def test_a_secret_that_is_no_text_is_told_without_its_bytes(tmp_path: Path) -> None:
    """A binary key, or a device without end."""
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    path = tmp_path / "probes.yaml"
    path.write_text("version: 1\nsite: {name: '${file:key} ${file:/dev/zero}'}\n")

    with pytest.raises(ConfigError) as caught:
        load(path, {})

    assert [problem.message for problem in caught.value.problems] == [
        "cannot read `key`: it is not a short UTF-8 text",
        "cannot read `/dev/zero`: it is not a short UTF-8 text",
    ]


def test_the_built_in_theme_and_the_shipped_file_are_found() -> None:
    """In the wheel, or beside the package."""
    assert theme_dir().name in ("site", "_site")
    assert shipped().name in ("probes.yaml", "_probes.yaml")
    assert catalogues(Path("/nowhere/at/all")) is None


def test_authorities_that_cannot_be_read_are_told_where_they_are_named(tmp_path: Path) -> None:
    """What looks like a certificate and is none would make every certificate look false, and a reload half a one."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    path = tmp_path / "probes.yaml"
    path.write_text("version: 1\nmonitor: {ca_file: ca.pem}\n")

    assert fault(path) == f"{path}:2:20: `ca_file` holds no certificate in PEM form: `ca.pem`"


def test_a_pipe_is_read_and_one_into_which_nobody_writes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`monitor check <(…)` works, and a reload does not wait for ever."""
    path = tmp_path / "probes.yaml"
    os.mkfifo(path)
    assert fault(path).endswith("the file is empty; it begins with `version: 1`")

    reader, writer = os.pipe()
    os.write(writer, b"version: 1\nsite: {name: Piped}\n")
    monkeypatch.setattr(file, "PATIENCE", 0.05)
    assert fault(Path(f"/dev/fd/{reader}")).endswith("1:1: cannot be read: nobody writes into it")
    os.write(writer, b"version: 1\nsite: {name: Piped}\n")
    os.close(writer)
    assert load(f"/dev/fd/{reader}", {}).site.name == "Piped"
    os.close(reader)


async def test_a_change_counts_once_the_file_is_left_alone(tmp_path: Path) -> None:
    """While it is written again and again nothing is told; then one change is, and one that is gone is one more."""
    path = tmp_path / "probes.yaml"
    path.write_text("0")
    told: list[str | None] = []

    async def watch() -> None:
        async for _ in change.changes_of(path, change.look_of(path), every=0.05):
            told.append(path.read_text() if path.exists() else None)

    task = asyncio.create_task(watch())
    for number in range(20):
        path.write_text(f"{number}" * (number + 2))
        await asyncio.sleep(0.02)
    assert told == []
    await asyncio.sleep(0.3)
    assert told == ["19" * 21]
    path.unlink()
    await asyncio.sleep(0.3)
    assert told == ["19" * 21, None]
    task.cancel()


def test_a_file_of_the_same_length_and_time_is_another_one(tmp_path: Path) -> None:
    """As `cp -p` and `rsync --inplace --times` leave it."""
    path = tmp_path / "probes.yaml"
    path.write_text("a")
    os.utime(path, (0, 0))
    before = change.look_of(path)
    assert change.look_of(path) == before
    time.sleep(0.05)  # longer than the clock of a file system may stand still

    path.write_text("b")
    os.utime(path, (0, 0))

    assert change.look_of(path) != before


def test_what_would_leave_nothing_to_watch_does_not_take_the_place_of_what_is_in_force(tmp_path: Path) -> None:
    """The first line of a file alone is a valid one. Where nothing was watched before nothing is lost."""
    written = tmp_path / "probes.yaml"
    whole = "version: 1\nmodules:\n  - {id: a}\n  - {id: b}\n"
    written.write_text(whole)
    current = load(written)
    for end in (10, 11, 20):
        written.write_text(whole[:end])
        with pytest.raises(ConfigError, match="no module is left of 2"):
            reloaded(written, current)
    nothing = load(written)
    assert reloaded(written, nothing).platform.modules == {}
    written.write_text(whole[: whole.index("  - {id: b")])
    assert list(reloaded(written, current).platform.modules) == ["a"]
