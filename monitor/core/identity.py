"""Stable ids: derived from a key that never changes, so a rename or a restart keeps every link alive."""

from functools import lru_cache
from hashlib import sha256

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@lru_cache(maxsize=16384)
def stable_id(key: str) -> str:
    """The first twelve base-36 digits of SHA-256 of a key such as `component:order-placement`."""
    number = int.from_bytes(sha256(key.encode()).digest())
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))[:12].rjust(12, "0")
