"""Which addresses strangers may name, and that none of them leads inside."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.internet import callable_url, is_public, literal, mailbox
from monitor.notify.channel import DeliveryFailed
from monitor.notify.outward import Outward


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.B+tag@EXAMPLE.com ", "Ana.B+tag@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("o'hara@mail.example.co", "o'hara@mail.example.co"),
        *((text, None) for text in ("", "ana", "@example.com", "ana@", "ana@example", "a@b@example.com")),
        *((text, None) for text in ("ana@127.0.0.1", "ana@[127.0.0.1]", ".ana@example.com", "a..b@example.com")),
        *((text, None) for text in ("Ana <ana@example.com>", "ana@example.com,bea@example.com", '"a b"@example.com')),
        *((text, None) for text in ("ana@example.com\nBcc: x@example.com", "ana\r@example.com", "ana@exa\0mple.com")),
        *((text, None) for text in ("x" * 65 + "@example.com", "ana@" + "x" * 250 + ".com", "änä@example.com")),
        *((text, None) for text in ("ana@-a.example.com", "ana@example..com", "ana@" + "ü" * 70 + ".com")),
    ],
)  # fmt: skip
def test_a_mailbox_is_one_address_and_nothing_else(written: str, found: str | None) -> None:
    """As it stands on an envelope; no header can be made of it."""
    assert mailbox(written) == found


@given(st.text(max_size=80))
def test_whatever_is_typed_a_mailbox_is_one_line_of_ascii(text: str) -> None:
    """With one @ in it."""
    for found in (mailbox(text), mailbox(f"{text}@example.com"), mailbox(f"ana@{text}.com")):
        assert found is None or (found.isascii() and found.isprintable() and " " not in found and found.count("@") == 1)


@given(st.text(max_size=80), st.booleans())
def test_whatever_is_typed_an_address_to_call_is_one_of_the_web(text: str, private: bool) -> None:
    """Or none at all."""
    for written in (text, f"https://{text}", f"https://a.example.com/{text}", f"https://{text}.example.com"):
        found = callable_url(written, allow_private=private)
        assert found is None or found.startswith("https://" if not private else ("https://", "http://"))


@pytest.mark.parametrize("text", ["https://[]@", "https://[::1]a@/x", "//[v1.x]y@"])
def test_an_address_that_the_library_trips_over_is_none(text: str) -> None:
    """It says IndexError of these."""
    assert callable_url(text, allow_private=False) is None
    assert callable_url(text, allow_private=True) is None


INSIDES = (
    *("127.0.0.1", "127.255.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("192.0.0.192", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "100.100.100.200"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1", "2002:7f00:1::"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2001:0:4136:e378::1", "5f00::1", "100::1"),
)


@pytest.mark.parametrize("text", INSIDES)
def test_an_address_of_somebody_s_inside_is_not_public(text: str) -> None:
    """However it is wrapped: mapped, translated by NAT64, tunnelled, with a zone; nor may anybody have us call it."""
    address = literal(text)
    assert address is not None
    assert not is_public(address)
    host = f"[{text}]" if ":" in text else text
    assert callable_url(f"https://{host}/", allow_private=False) is None


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is_public(text: str) -> None:
    """Also where it hides in one of version 6."""
    address = literal(text)
    assert address is not None
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "10.0.0.1.", "a.0x7f", "localhost.", "a_b.c%00d"],
)
def test_a_number_in_another_spelling_is_no_name(host: str) -> None:
    """Octal, hexadecimal, short, whole, with a dot behind: a resolver would make an address of it."""
    assert callable_url(f"https://{host}/", allow_private=False) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"])
async def test_what_leads_inside_is_never_connected_to(host: str) -> None:
    """Also where a name hides it, and whatever was found when it was typed in."""
    came = 0

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port, guarded, open_ = server.sockets[0].getsockname()[1], Outward(), Outward(allow_private=True)
    try:
        for outward, calls in ((guarded, 0), (open_, 1)):
            with pytest.raises(DeliveryFailed):
                await outward.tell(f"http://{host}:{port}/", b"{}", {})
            assert came == calls
    finally:
        server.close()
        await guarded.close()
        await open_.close()
