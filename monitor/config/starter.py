"""Starter: a configuration to begin with, made of the shipped one and a few answers.

What is answered stands in it as `vars`, so nothing has to be set to run it, and nothing of the invented store is left.
Everything below stays as it is shipped: a module whose probes need to know more says what.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

FRAMEWORKS = {
    "store-framework": "VTEX_STORE_FRAMEWORK",
    "faststore": "VTEX_FASTSTORE",
    "portal": "VTEX_PORTAL",
}
NOTES = {  # what the shipped file knows of the invented store only, told to whoever fills it in
    "VTEX_PRODUCT_ID": "the number of a product, best that of the SKU",
    "VTEX_PRODUCT_SLUG": "its page is https://STORE/SLUG/p",
    "VTEX_PRODUCT_NAME": "a text on that page",
    "VTEX_IMAGE_ID": "the number in the address of its picture, /arquivos/ids/NUMBER",
    "VTEX_CATEGORY_SLUG": "a category",
    "VTEX_SEARCH_TERM": "a word that finds something in that category",
    "VTEX_HOME_TEXT": "a text of your own theme on the home page",
}
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_ACCOUNT_HOSTS = (".myvtex.com", ".vtexcommercestable.com.br", ".vtexcommercebeta.com.br")
_MARKS = ("site:\n", "\nmonitor:\n", "\n# The invented store", "\nvars:\n")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go. `secret`: its address lets whoever knows it write there, and belongs into a file of its own."""

    kind: str
    url: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of a store before it is watched; an empty text is no answer."""

    account: str
    sku: str = ""
    postal_code: str = ""
    domain: str = ""
    framework: str = ""
    country: str = "BRA"
    name: str = ""
    url: str = "http://127.0.0.1:8080"
    languages: Sequence[str] = ("pt-BR", "en", "es")
    timezone: str = "America/Sao_Paulo"
    channel: Channel | None = None


# -- what may be answered: each gives the answer as it is kept, or raises ValueError with a sentence -------------------


def account_of(said: str) -> str:
    """`mystore`, also from an address of it that was pasted."""
    host = _host(said)
    for end in _ACCOUNT_HOSTS:
        host = host.removesuffix(end)
    return _like(_ACCOUNT, host, "an account is the name before .myvtex.com: small letters, digits and hyphens")


def domain_of(said: str) -> str:
    """`www.mystore.com`, also from an address that was pasted."""
    return _like(_HOST, _host(said), "a domain looks like www.mystore.com")


def sku_of(said: str) -> str:
    """The number of a SKU."""
    return _like(re.compile(r"[0-9]{1,18}"), said.strip(), "a SKU is a number, the one it has in the catalog")


def postal_code_of(said: str) -> str:
    """A postal code as it is written in its country."""
    return _like(re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{1,10}"), said.strip(), "a postal code looks like 01310-100")


def country_of(said: str) -> str:
    """ISO 3166, three letters."""
    return _like(re.compile(r"[A-Z]{3}"), said.strip().upper(), "a country has three letters, such as BRA")


def framework_of(said: str) -> str:
    """What a store is built with."""
    word = said.strip().lower()
    if word not in FRAMEWORKS:
        raise ValueError(f"one of {', '.join(FRAMEWORKS)}")
    return word


def name_of(said: str) -> str:
    """What the page is called."""
    if not (name := " ".join(said.split())).isprintable() or not 0 < len(name) <= 80:
        raise ValueError("a name has 1 to 80 characters, in one line")
    return name


def url_of(said: str) -> str:
    """Where the page is seen."""
    return _address(said, ("http", "https"), "an address looks like https://status.mystore.com").rstrip("/")


def languages_of(known: Sequence[str]) -> Callable[[str], Sequence[str]]:
    """Reads languages, of which these are known."""

    def read(said: str) -> Sequence[str]:
        tags = tuple(dict.fromkeys(re.split(r"[\s,]+", said.strip())))
        if lost := [tag for tag in tags if tag not in known]:
            raise ValueError(f"{', '.join(lost) or 'nothing'}: the languages there are: {', '.join(known)}")
        return tags

    return read


def timezone_of(said: str) -> str:
    """A time zone by its name."""
    try:
        return ZoneInfo(said.strip()).key
    except (OSError, ValueError, KeyError):
        raise ValueError("a time zone has a name such as America/Sao_Paulo") from None


def channel_of(said: str) -> Channel:
    """A broker, a Slack webhook or any other webhook, by its address."""
    url = _address(said, ("http", "https", "mqtt", "mqtts"), "an address looks like https://… or mqtt://…")
    parts = urlsplit(url)
    if parts.scheme.startswith("mqtt"):
        return Channel("mqtt", url, "@" in parts.netloc)
    return Channel("slack" if parts.hostname == "hooks.slack.com" else "webhook", url, True)


def _host(said: str) -> str:
    text = said.strip().lower()
    return re.split(r"[/?#]", text.split("://", 1)[-1], maxsplit=1)[0]


def _like(pattern: re.Pattern[str], text: str, sentence: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(sentence)
    return text


def _address(said: str, schemes: Sequence[str], sentence: str) -> str:
    text = said.strip()
    try:
        parts = urlsplit(text)
        known = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or not text.isascii() or not text.isprintable() or " " in text or "${" in text:
        raise ValueError(sentence)
    return text


# -- what is written ---------------------------------------------------------------------------------------------------


def starter(shipped: str, answers: Answers, secret_file: str) -> str:
    """The shipped text with these answers. `secret_file`, beside it, is to hold the address of a secret channel."""
    site, monitor, invented, rest = (shipped.index(mark) for mark in _MARKS)
    links = shipped[site:monitor].split("  links:\n", 1)[1].rstrip("\n")
    head = (
        f"# {answers.account}: what is watched, judged and shown.\n"
        "#\n"
        "# `monitor check` tells every mistake in it, with its line. Below `vars` stands the whole platform as it is\n"
        "# shipped: change what you like, and take out what you do not use.\n"
        "version: 1\n\n"
    )
    mine = [
        "site:",
        f"  name: {_text(answers.name or f'VTEX {answers.account}')}",
        f"  url: {_text(answers.url)} # absolute addresses in feeds and JSON",
        f"  languages: [{', '.join(answers.languages)}] # the first one lives at /",
        f"  timezone: {answers.timezone}",
        "  links:",
        links,
    ]
    return "\n".join(
        (
            head + "\n".join(mine),
            shipped[monitor:invented],
            _told(answers, secret_file) + _vars(answers) + shipped[rest + len(_MARKS[-1]) :],
        )
    )


def _text(said: str) -> str:
    return json.dumps(said.replace("${", "$${"), ensure_ascii=False)


def _told(answers: Answers, secret_file: str) -> str:
    """Who is told of what. Without an answer it says how that is written."""
    if (channel := answers.channel) is None:
        return (
            "# Nobody is told of anything yet. A channel and a rule look like this; mail and others are alike.\n"
            '# channels: {chat: {kind: slack, url: "${SLACK_URL}"}}\n'
            "# notify: [{steps: [{to: [chat]}]}]\n\n"
        )
    url = f"${{file:{secret_file}}}" if channel.secret else channel.url
    return (
        f"channels:\n  first: {{kind: {channel.kind}, url: {json.dumps(url)}}}\n\n"
        "notify:\n  - steps: [{to: [first]}] # every incident; `match` tells them apart\n\n"
    )


def _vars(answers: Answers) -> str:
    known = {
        "VTEX_ACCOUNT": answers.account,
        "VTEX_SKU": answers.sku,
        "VTEX_POSTAL_CODE": answers.postal_code,
        "VTEX_COUNTRY": answers.country,
        "VTEX_STORE_DOMAIN": answers.domain,
        **({FRAMEWORKS[answers.framework]: "yes"} if answers.framework else {}),
    }
    given = [f"  {name}: {_text(value)}" for name, value in known.items() if value]
    asked = {"VTEX_SKU": "a hidden SKU with plenty of stock", "VTEX_POSTAL_CODE": "one the store delivers to"}
    asked |= {"VTEX_STORE_DOMAIN": "the domain shoppers use"} | NOTES
    open_ = [f"  # {name}: … # {note}" for name, note in asked.items() if not known.get(name)]
    return "\n".join(
        (
            "# The store. Names come from here before they come from the environment; all belong to one product.",
            "# The more is known, the more is asked. An application key that may only read switches on twice as much:",
            "# VTEX_APP_KEY and VTEX_APP_TOKEN are secrets and come from the environment, not from here.",
            "vars:",
            *given,
            *open_,
            "",
        )
    )
