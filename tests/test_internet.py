"""Which addresses strangers may name, and that none of them leads inside."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.internet import callable_url, mailbox
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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
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
