"""Which addresses are public, and which hosts a pattern means."""

from ipaddress import ip_address

import pytest

from monitor.probers.address import dialled_instead, is_public, is_public_name, joined, matches_host, split

PRIVATE = """
127.0.0.1 127.255.255.255 10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 0.0.0.0 100.64.0.1
192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:0:0:0:0:0:0:1
"""
PUBLIC = (
    "1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 193.0.0.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private(address: str) -> None:
    """Loopback, private, link-local, metadata, reserved, and all of these inside an IPv6 address."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public(address: str) -> None:
    """Everything else, the neighbours of private ranges among it."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("a.example", "a.example", True),
        ("a.example", "A.EXAMPLE.", True),
        ("a.example", "b.a.example", False),
        ("*.example", "a.example", True),
        ("*.example", "b.a.example", True),
        ("*.example", "example", False),
        ("*.example", "badexample", False),
        ("a.example", "a.example.evil", False),
    ],
)
def test_hosts(pattern: str, host: str, matches: bool) -> None:
    """A star stands for any name below, never for the name itself or one that merely ends alike."""
    assert matches_host(pattern, host) is matches


def test_the_first_pattern_that_fits_is_dialled() -> None:
    """Host and port both have to fit."""
    table = (("shop.test:443", "127.0.0.1:1"), ("*.test:443", "[::1]:2"))

    assert dialled_instead(table, "shop.test", 443) == ("127.0.0.1", 1)
    assert dialled_instead(table, "other.test", 443) == ("::1", 2)
    assert dialled_instead(table, "shop.test", 80) is None


@pytest.mark.parametrize("address", ["127.0.0.1:80", "[::1]:443", "name:1"])
def test_addresses_go_there_and_back(address: str) -> None:
    """IPv6 in brackets."""
    assert joined(*split(address)) == address


def test_no_port_is_no_address() -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        split("name")


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("shop.example.com", True),
        ("Example.COM.", True),
        ("local.example.com", True),
        ("db", False),
        ("printer.local", False),
        ("db.Internal.", False),
        ("router.home.arpa", False),
        ("shop.localhost", False),
        (".", False),
    ],
)
def test_names_of_the_public_tree(name: str, public: bool) -> None:
    """Only there an address inside somebody's network is out of place."""
    assert is_public_name(name) == public
