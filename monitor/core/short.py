"""Short: a text for telephones and small displays.

160 characters of the alphabet that every telephone knows (GSM 7 bit, 3GPP TS 23.038), where a text can be written in
it; else the 70 that one message holds.
"""

from unicodedata import normalize

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("^{}\\[~]|€")  # take the place of two
PLAIN = {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "×": "x", "→": ">", "·": "-", "•": "-"}
LONGEST, LONGEST_ELSEWISE = 160, 70
_DOTS = "..."


def fitted(text: str) -> str:
    """The text in one line that fits into one message: plain letters for those with accents that telephones lack, and
    its beginning where it is too long."""
    plain = "".join(map(_plain, " ".join(text.split())))
    if all(letter in GSM or letter in TWICE for letter in plain):
        return _cut(plain, LONGEST)
    return _cut(" ".join(text.split()), LONGEST_ELSEWISE)


def length_of(text: str) -> int:
    """How many places a text takes: septets of the telephones' own alphabet, or else 16-bit units."""
    if all(letter in GSM or letter in TWICE for letter in text):
        return len(text) + sum(letter in TWICE for letter in text)
    return len(text.encode("utf-16-le", "replace")) // 2


def _plain(letter: str) -> str:
    if letter in GSM or letter in TWICE:
        return letter
    bare = PLAIN.get(letter) or normalize("NFKD", letter)[:1]
    return bare if all(one in GSM for one in bare) else letter


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit and length_of(text) <= limit:
        return text
    text = text[:limit]
    while length_of(text) > limit - len(_DOTS):
        text = text[:-1]
    return f"{text.rstrip()}{_DOTS}"
