"""Roster: who may see the operators' side and who may change something there, as the configuration names them.

A `Person` is whoever asks. Where it comes from is nothing to whoever gets one: today a password, a token, a link, or a
chair at this machine; an identity provider would hand out the same.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"  # reads everything
    OPERATOR = "operator"  # and changes it


class How(StrEnum):
    """How somebody proved who it is."""

    SESSION = "session"  # logged in as a user of the configuration
    TOKEN = "token"  # sent a token, or logged in with one
    HERE = "here"  # sits at this machine, where nobody is named
    LINK = "link"  # followed a signed link


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks. `name` is None where nobody said one; `known`: it is the configuration's, and no other can be
    given."""

    name: str | None
    role: Role
    how: How
    known: bool = False

    @property
    def may_change(self) -> bool:
        """Whether this one may do more than read."""
        return self.role is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Password:
    """What is kept of a password: scrypt's parameters, its salt, and what came out (RFC 7914)."""

    log_cost: int  # log2 of scrypt's N
    block: int  # r
    lanes: int  # p
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)

    @property
    def memory(self) -> int:
        """Bytes that a check takes."""
        return 128 * self.block << self.log_cost

    @property
    def work(self) -> int:
        """What a check costs, in scrypt's N · r · p."""
        return (self.block * self.lanes) << self.log_cost

    def derived(self, said: str) -> bytes:
        """What scrypt makes of what was said; slow, and hungry. It is right where this is `hash`.

        Keyboards differ in how they write an accent, so the text is composed first (Unicode NFC).
        """
        text = unicodedata.normalize("NFC", said).encode()
        return hashlib.scrypt(
            text,
            salt=self.salt,
            n=1 << self.log_cost,
            r=self.block,
            p=self.lanes,
            maxmem=2 * self.memory,
            dklen=len(self.hash),
        )


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who logs in with a password."""

    name: str
    password: Password
    role: Role

    @property
    def person(self) -> Person:
        """Who this is once the password was right."""
        return Person(self.name, self.role, How.SESSION, known=True)


@dataclass(frozen=True, slots=True)
class Token:
    """What a program sends. The one of `ops_token` has no name, and whoever has it says who it is."""

    text: str = field(repr=False)
    role: Role = Role.OPERATOR
    name: str | None = None

    @property
    def person(self) -> Person:
        """Who this is."""
        return Person(self.name, self.role, How.TOKEN, known=self.name is not None)


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who is named. Where nobody is, whoever sits at this machine may do everything."""

    users: tuple[User, ...] = ()
    tokens: tuple[Token, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody is named."""
        return not self.users and not self.tokens

    def user(self, name: str) -> User | None:
        """The user of a name."""
        return next((one for one in self.users if one.name == name), None)

    def operator_tokens(self) -> Iterator[str]:
        """Texts of the tokens that may change something, `ops_token` first."""
        return (one.text for one in self.tokens if one.role is Role.OPERATOR)

    @property
    def decoy(self) -> Password | None:
        """What is checked for a name that nobody has, so that the time tells nothing; None where there are no users."""
        dearest = max(self.users, key=lambda one: one.password.work, default=None)
        return None if dearest is None else replace(dearest.password, hash=bytes(len(dearest.password.hash)))


def with_ops_token(text: str | None, *, users: tuple[User, ...] = (), tokens: tuple[Token, ...] = ()) -> Roster:
    """The roster of a configuration, whose `ops_token` may be unset."""
    return Roster(users, (*([Token(text)] if text else []), *tokens))
