"""Certificates: trusted through the file that is handed out, for every host name, and kept from others' eyes."""

import socket
import ssl
import stat
from pathlib import Path

import aiohttp
import pytest

from tests.simulator.conftest import HOSTS, Shopper


@pytest.mark.parametrize("letter", HOSTS)
async def test_every_host_name_verifies(shopper: Shopper, letter: str) -> None:
    """The handshake succeeds under each host name with the authority's file, and an answer comes back."""
    status, _, _ = await shopper.ask("GET", f"{letter}/nothing/here/at/all")
    assert status in (200, 404)


async def test_it_does_not_verify_without_the_file(shopper: Shopper) -> None:
    """Nobody trusts the authority by default."""
    shopper.tls = ssl.create_default_context()
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await shopper.ask("GET", "C/")


async def test_it_does_not_verify_under_another_name(shopper: Shopper) -> None:
    """A certificate is good for the names of its own host only."""
    port = shopper.simulator.ports["images"]
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await shopper.ask("GET", f"https://127.0.0.1:{port}/", server_hostname=HOSTS["C"])


async def test_strict_verification_holds(shopper: Shopper) -> None:
    """The chain satisfies the strict rules that newer Python versions apply by default."""
    shopper.tls.verify_flags |= ssl.VERIFY_X509_STRICT
    assert (await shopper.ask("GET", "W/"))[0] == 200


def test_keys_are_for_the_owner_only(shopper: Shopper) -> None:
    """Every key file has mode 0600."""
    keys = list(Path(shopper.simulator.ca_file).parent.glob("*.key"))
    assert keys
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_nothing_listens_beyond_loopback(shopper: Shopper) -> None:
    """All addresses that are handed out are loopback ones."""
    addresses = [address.partition(":")[0] for address in shopper.simulator.connect_to.values()]
    assert {socket.inet_aton(address)[0] for address in addresses} == {127}
