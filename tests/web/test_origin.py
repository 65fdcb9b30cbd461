"""Where a request comes from: what a proxy of ours says is believed, what anybody else says is not."""

import pytest
from aiohttp.test_utils import make_mocked_request

from monitor.web.origin import origin_of


class _Line:
    """The line to whoever asks."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._peer, 1) if name == "peername" else default


@pytest.mark.parametrize(
    ("peer", "said", "trusted", "origin"),
    [("10.0.0.9", ["203.0.113.5"], ["10.0.0.0/8"], "203.0.113.5"),
     ("10.0.0.9", ["198.51.100.1, 203.0.113.5"], ["10.0.0.0/8"], "203.0.113.5"),
     ("10.0.0.9", ["198.51.100.1", "203.0.113.5, 10.0.0.8"], ["10.0.0.0/8"], "203.0.113.5"),
     ("10.0.0.9", ["203.0.113.5"], [], "10.0.0.9"),
     ("192.0.2.7", ["203.0.113.5"], ["10.0.0.0/8"], "192.0.2.7"),
     ("10.0.0.9", [], ["10.0.0.0/8"], "10.0.0.9"),
     ("10.0.0.9", ["nonsense " * 20], ["10.0.0.9"], ("nonsense " * 20)[:45]),
     ("::ffff:10.0.0.9", ["[2001:DB8::1]"], ["10.0.0.0/8"], "2001:db8::1"),
     ("10.0.0.9", ["10.0.0.1, 10.0.0.2"], ["10.0.0.0/8"], "10.0.0.1")],
)  # fmt: skip
def test_the_last_address_that_is_no_proxy_of_ours(peer: str, said: list[str], trusted: list[str], origin: str) -> None:
    """Read from its end; what stands before the first stranger is that stranger's word."""
    request = make_mocked_request("GET", "/", [("X-Forwarded-For", one) for one in said], transport=_Line(peer))
    assert origin_of(request, trusted) == origin
