"""`monitor simulate`: what it prints, how it stops, what it says of a busy port."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import aiohttp
import pytest
import yaml

from monitor.commands.simulate import simulate
from monitor.simulator import Simulator


def _files(ca_file: Path) -> list[Path]:
    return list(ca_file.parent.glob("*.pem"))


def _two_in_a_row() -> int:
    """A port that is free, as the next one is."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port


async def test_it_prints_what_a_configuration_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """The block is YAML for `monitor:`, its files and addresses are there, and SIGTERM ends it with 0."""
    running = asyncio.create_task(simulate(0, 0, "acme"))
    printed = ""
    while "Ctrl-C" not in printed:
        await asyncio.sleep(0.02)
        printed += capsys.readouterr().out
    block = yaml.safe_load(printed)["monitor"]
    assert set(block) == {"connect_to", "ca_file"}
    ca_file = Path(block["ca_file"])
    assert ca_file in _files(ca_file)
    assert {"*.vtexcommercestable.com.br:443", "*.acme.example:443"} <= set(block["connect_to"])
    control = next(word for word in printed.split() if word.startswith("http://127.0.0.1:"))
    async with aiohttp.ClientSession() as session, session.get(f"{control}/state") as response:
        assert (await response.json())["account"] == "acme"
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert not _files(ca_file)


async def test_the_control_port_may_follow_the_port() -> None:
    """As the defaults do, 8443 and 8444: the hosts behind the first one keep out of its way."""
    port = _two_in_a_row()
    async with Simulator.open(port, port + 1) as simulator:
        assert simulator.control_url.endswith(f":{port + 1}")
        assert f"127.0.0.1:{port}" in simulator.connect_to.values()


@pytest.mark.parametrize(("first", "option"), [(True, "--port"), (False, "--control-port")])
async def test_a_busy_port_is_one_sentence(capsys: pytest.CaptureFixture[str], first: bool, option: str) -> None:
    """It says which port, which option to use, and returns 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert await simulate(port if first else 0, 0 if first else port, "demostore") == 2
    said = capsys.readouterr().err
    assert f"Port {port} is in use" in said
    assert f" {option}," in said
