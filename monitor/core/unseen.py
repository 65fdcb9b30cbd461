"""Unseen: what no page shows and some formats cannot hold: control characters but line breaks and tabs, marks that turn
the direction in which people read, halves of characters.
"""

import re

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
