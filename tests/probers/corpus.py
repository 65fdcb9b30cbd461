"""A corpus of raw answers: what hostile, broken and merely old servers send, and the code each of them is.

An answer is sent whole and the connection closed after it. `EXPECT` is what the probe expects: a JSON object with `ok`.
Answers that a fuzzer found to be trouble are added at the end, with what they did.
"""

import gzip
import json
import zlib

from monitor.core.clause import Clause
from monitor.core.expectation import Expect

EXPECT = Expect(json=(("ok", (Clause("exists", True),)),))

OK = b'{"ok": true}'


def whole(body: bytes = OK, *headers: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json") -> bytes:
    """A correct answer around a body, with more headers."""
    more = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, kind, len(body), more, body)


def headed(*lines: bytes, body: bytes = OK) -> bytes:
    """A status line, header lines as they are, and a body that ends with the connection."""
    return b"\r\n".join([*lines, b"", body])


def chunked(*pieces: bytes, trailer: bytes = b"", headers: bytes = b"") -> bytes:
    """A body in chunks, with what stands behind the last one."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n%s0\r\n%s\r\n" % (headers, chunks, trailer)


def coded(body: bytes, coding: bytes) -> bytes:
    """A body that says how it is packed."""
    return whole(body, b"Content-Encoding: " + coding)


def raw_deflate(body: bytes) -> bytes:
    """Deflate without its envelope, as old servers send it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def json_bytes(text: str) -> bytes:
    return text.encode()


_200 = b"HTTP/1.1 200 OK"
_TWO = gzip.compress(OK, mtime=0)
_LONG = gzip.compress(json.dumps({"ok": [str(n * 7919) for n in range(5000)]}).encode(), mtime=0)
# The frame of zstandard and the stream of brotli that hold `{"ok": true}`, stored and not packed.
_ZSTD = b"\x28\xb5\x2f\xfd\x20" + bytes([len(OK)]) + (1 | len(OK) << 3).to_bytes(3, "little") + OK
_BROTLI = b"\x0b\x05\x80" + OK + b"\x03"
ESCAPES = b"\x1b]0;owned\x07\x1b[31m<script>alert(1)</script>"

CORPUS: dict[str, tuple[str | None, bytes]] = {
    "whole": (None, whole()),
    # status line
    "nothing at all": ("http.closed", b""),
    "HTTP/1.0": (None, headed(b"HTTP/1.0 200 OK")),
    "HTTP/0.9": ("http.malformed", OK),
    "HTTP/2 preface": (
        "http.malformed",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\x10\x00\x00",
    ),
    "HTTP/2 in words": ("http.malformed", headed(b"HTTP/2 200")),
    "HTTP/9.9": ("http.malformed", headed(b"HTTP/9.9 200 OK")),
    "lower case http": ("http.malformed", headed(b"http/1.1 200 OK")),
    "status 000": ("http.malformed", whole(status=b"000 Nothing")),
    "status 099": ("http.malformed", whole(status=b"099 Less")),
    "status 600": ("http.500", whole(status=b"600 More")),
    "status 999": ("http.500", whole(status=b"999 Denied")),
    "status -200": ("http.malformed", whole(status=b"-200 OK")),
    "status of two digits": ("http.malformed", whole(status=b"20 OK")),
    "status with a fraction": ("http.malformed", whole(status=b"200.5 OK")),
    "status in Arabic digits": ("http.malformed", whole(status="٢٠٠ OK".encode())),
    "no reason": (None, whole(status=b"200")),
    "reason with escape sequences": (None, whole(status=b"200 " + ESCAPES.replace(b"\x1b", b""))),
    "reason with an escape": (None, whole(status=b"200 " + ESCAPES)),
    "reason of 9 kB": ("http.headers_too_large", whole(status=b"200 " + b"K" * 9000)),
    "status line without an end": ("http.headers_too_large", b"HTTP/1.1 200 " + b"O" * 100_000),
    "spaces before the status": ("http.malformed", headed(b"HTTP/1.1   200 OK")),
    "an empty line before the answer": (None, b"\r\n" + whole()),
    # headers
    "bare line feeds": (None, whole().replace(b"\r\n", b"\n")),
    "bare carriage returns": ("http.malformed", whole().replace(b"\r\n", b"\r")),
    "a folded header": (None, headed(_200, b"X-Long: a", b" b", b"Content-Type: application/json")),
    "a header that begins with a space": (None, headed(_200, b" X: 1")),
    "NUL in a value": ("http.malformed", whole(OK, b"X: a\0b")),
    "NUL in a name": ("http.malformed", whole(OK, b"X\0Y: 1")),
    "space before the colon": ("http.malformed", whole(OK, b"Content-Length : 2")),
    "no name": ("http.malformed", whole(OK, b": 1")),
    "name in Cyrillic": ("http.malformed", whole(OK, "Сервер: 1".encode())),
    "value in UTF-8": (None, whole(OK, "Server: нгинкс \u202e".encode())),
    "name of 20 kB": ("http.headers_too_large", whole(OK, b"X" * 20_000 + b": 1")),
    "value of 20 kB": ("http.headers_too_large", whole(OK, b"X: " + b"x" * 20_000)),
    "3,000 headers": ("http.headers_too_large", whole(OK, *(b"X-%d: 1" % n for n in range(3000)))),
    "300 headers of one name": ("http.headers_too_large", whole(OK, *([b"Set-Cookie: a=1"] * 300))),
    "headers end with the connection": ("http.closed", whole()[:40]),
    "headers without an end": ("http.closed", b"HTTP/1.1 200 OK\r\nX: 1\r\n"),
    # lengths
    "negative length": ("http.malformed", headed(_200, b"Content-Length: -1")),
    "length with a plus": ("http.malformed", headed(_200, b"Content-Length: +12")),
    "length in hex": ("http.malformed", headed(_200, b"Content-Length: 0xc")),
    "length of 30 digits": ("http.malformed", headed(_200, b"Content-Length: " + b"9" * 30)),
    "length of 2^63": ("http.truncated", headed(_200, b"Content-Length: 9223372036854775807")),
    "length of 10^17": ("http.truncated", headed(_200, b"Content-Length: 100000000000000000")),
    "two lengths in one": ("http.malformed", headed(_200, b"Content-Length: 12, 13")),
    "length too short": ("content.invalid_json", headed(_200, b"Content-Length: 5")),
    "length too long": ("http.truncated", headed(_200, b"Content-Length: 500")),
    "length and chunks": (
        "http.malformed",
        headed(_200, b"Content-Length: 12", b"Transfer-Encoding: chunked", body=b"c\r\n" + OK + b"\r\n0\r\n\r\n"),
    ),
    # chunks
    "chunks": (None, chunked(OK[:5], OK[5:])),
    "chunks with a trailer": (None, chunked(OK, trailer=b"X-Sum: 1\r\n")),
    "chunk with an extension": (
        None,
        chunked(OK).replace(b"\r\nc\r\n", b"\r\nc;name=value\r\n", 1),
    ),
    "chunk extension of a megabyte": (
        None,
        chunked(OK).replace(b"\r\nc\r\n", b"\r\nc;x=" + b"y" * (1 << 20) + b"\r\n", 1),
    ),
    "5,000 trailers": (
        "http.headers_too_large",
        chunked(OK, trailer=b"".join(b"T-%d: 1\r\n" % n for n in range(5000))),
    ),
    "trailer of 20 kB": ("http.headers_too_large", chunked(OK, trailer=b"T: " + b"t" * 20_000 + b"\r\n")),
    "chunk of 2^64 bytes": (
        "http.truncated",
        headed(_200, b"Transfer-Encoding: chunked", body=b"ffffffffffffffff\r\nx"),
    ),
    "chunk size of 40 digits": (
        "http.truncated",
        headed(_200, b"Transfer-Encoding: chunked", body=b"1" * 40 + b"\r\nx"),
    ),
    "negative chunk": ("http.truncated", headed(_200, b"Transfer-Encoding: chunked", body=b"-1\r\nx\r\n0\r\n\r\n")),
    "chunk in 0x": (
        "http.truncated",
        headed(_200, b"Transfer-Encoding: chunked", body=b"0xc\r\n" + OK + b"\r\n0\r\n\r\n"),
    ),
    "chunk longer than it says": (
        "http.truncated",
        headed(_200, b"Transfer-Encoding: chunked", body=b"3\r\n" + OK + b"\r\n0\r\n\r\n"),
    ),
    "chunks without an end": ("http.truncated", chunked(OK)[:-5]),
    "10,000 chunks of one byte": (None, chunked(*(bytes([one]) for one in b" " * 10_000 + OK))),
    "transfer coding that does not exist": ("http.bad_encoding", headed(_200, b"Transfer-Encoding: sparkles")),
    # codings
    "gzip": (None, coded(_TWO, b"gzip")),
    "gzip in capitals": (None, coded(_TWO, b"GZIP")),
    "deflate": (None, coded(zlib.compress(OK), b"deflate")),
    "deflate without its envelope": (None, coded(raw_deflate(OK), b"deflate")),
    "identity": (None, coded(OK, b"identity")),
    "a charset for a coding": (None, coded(OK, b"utf-8")),
    "gzip twice": ("http.bad_encoding", coded(gzip.compress(_TWO, mtime=0), b"gzip, gzip")),
    "gzip twice in two headers": (
        "http.bad_encoding",
        whole(gzip.compress(_TWO, mtime=0), b"Content-Encoding: gzip", b"Content-Encoding: gzip"),
    ),
    "brotli": ("http.bad_encoding", coded(_BROTLI, b"br")),
    "zstandard": ("http.bad_encoding", coded(_ZSTD, b"zstd")),
    "compress": ("http.bad_encoding", coded(b"\x1f\x9d\x90" + OK, b"compress")),
    "a coding that does not exist": ("http.bad_encoding", coded(OK, b"sparkles")),
    "a list of 900 codings": ("http.bad_encoding", coded(_TWO, b", ".join([b"gzip"] * 900))),
    "not gzip": ("http.bad_encoding", coded(OK, b"gzip")),
    "gzip cut off at its head": ("http.bad_encoding", coded(_LONG[:12], b"gzip")),
    "gzip cut off": ("http.bad_encoding", coded(_LONG[:9000], b"gzip")),
    "deflate cut off": ("http.bad_encoding", coded(zlib.compress(OK)[:-6], b"deflate")),
    "gzip with a wrong checksum": ("http.bad_encoding", coded(_TWO[:-8] + b"\1\2\3\4\5\6\7\x08", b"gzip")),
    "gzip with a tail": ("http.bad_encoding", coded(_TWO + b"tail of something else", b"gzip")),
    "gzip in two members": (None, coded(gzip.compress(OK[:5], mtime=0) + gzip.compress(OK[5:], mtime=0), b"gzip")),
    "5,000 empty members of gzip": ("http.bad_encoding", coded(gzip.compress(b"", mtime=0) * 5000, b"gzip")),
    # before and after
    "100 Continue first": (None, b"HTTP/1.1 100 Continue\r\n\r\n" + whole()),
    "103 Early Hints first": (None, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole()),
    "100 answers 100": (None, b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + whole()),
    "100 Continue and no more": ("http.closed", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "101 without asking": (
        "content.assertion",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + b"\0" * 5000,
    ),
    "a second answer behind the first": (None, whole() + whole(b'{"ok": null}', status=b"500 Tail")),
    "rubbish behind the answer": (None, whole() + b"\0\xff rubbish" * 100),
    "204 with a body": ("content.empty", whole(status=b"204 No Content")),
    "304 with a body": ("content.assertion", whole(status=b"304 Not Modified")),
    # what is inside
    "200,000 brackets": ("content.json_limits", whole(b"[" * 200_000 + b"]" * 200_000)),
    "100,000 objects": ("content.json_limits", whole(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "brackets without an end": ("content.json_limits", whole(b"[" * 40_000)),
    "5,000 digits": ("content.json_limits", whole(b'{"ok": ' + b"7" * 5000 + b"}")),
    "1,000,000 digits": ("content.json_limits", whole(b'{"ok": -' + b"7" * 1_000_000 + b"}")),
    "digits behind the point": (None, whole(b'{"ok": 0.' + b"7" * 100_000 + b"}")),
    "exponent of 20 digits": (None, whole(b'{"ok": 1e99999999999999999999}')),
    "tiny exponent": (None, whole(b'{"ok": 1e-99999999999999999999}')),
    "NaN": ("content.invalid_json", whole(b'{"ok": NaN}')),
    "minus infinity": ("content.invalid_json", whole(b'{"ok": -Infinity}')),
    "the same key twice": (None, whole(b'{"ok": null, "ok": 1}')),
    "20,000 times the same key": (None, whole(b"{" + b'"ok": 1, ' * 20_000 + b'"ok": 2}')),
    "half a character": (None, whole(b'{"ok": "\\udc00\\ud800"}')),
    "half a character for a key": (None, whole(b'{"ok": 1, "\\ud800": 1}')),
    "byte order mark": (None, whole(b"\xef\xbb\xbf" + OK)),
    "UTF-16 that says so": (None, whole(OK.decode().encode("utf-16"), kind=b"application/json; charset=utf-16")),
    "UTF-16 that does not": ("content.invalid_encoding", whole(OK.decode().encode("utf-16"))),
    "UTF-32": ("content.invalid_encoding", whole(OK.decode().encode("utf-32"))),
    "UTF-7": ("content.assertion", whole(b'{"+AG8Aaw-": 1}', kind=b"application/json; charset=utf-7")),
    "Latin 1 in UTF-8": ("content.invalid_encoding", whole(b'{"ok": "caf\xe9"}')),
    "overlong UTF-8": ("content.invalid_encoding", whole(b'{"ok": "\xc0\xaf"}')),
    "charset of a megabyte of quotes": (None, whole(kind=b"application/json; charset=" + b'"' * 8000)),
    "8,000 parameters": (None, whole(kind=b"application/json" + b";" * 8000)),
    "single quotes": ("content.invalid_json", whole(b"{'ok': true}")),
    "a comment": ("content.invalid_json", whole(b'{"ok": true} // fine')),
    "two documents": ("content.invalid_json", whole(OK + OK)),
    "NUL behind the document": ("content.invalid_json", whole(OK + b"\0")),
    "HTML": ("content.invalid_json", whole(b"<!doctype html><title>" + ESCAPES)),
    "nothing": ("content.empty", whole(b"")),
    "blanks": ("content.invalid_json", whole(b" " * 100_000)),
    # redirects
    "redirect with a body that never was": (
        "http.redirect_unexpected",
        whole(_LONG, b"Location: http://other.example/", b"Content-Encoding: gzip", status=b"302 Found"),
    ),
    "redirect in two places": (
        "http.redirect_loop",
        whole(b"", b"Location: /a", b"Location: http://10.0.0.1/", status=b"302 Found"),
    ),
    "redirect with line ends": (
        "http.redirect_unexpected",
        whole(b"", b"Location: http://[::1]%0d%0aX: 1/", status=b"307 X"),
    ),
    "redirect to a name of 8,000 letters": (
        "http.redirect_unexpected",
        whole(b"", b"Location: http://" + b"a" * 8000 + b"/", status=b"302 Found"),
    ),
    "redirect to loopback in octal": (
        "http.redirect_unexpected",
        whole(b"", b"Location: http://0177.0.0.1/", status=b"302 Found"),
    ),
    "redirect to a file": ("http.redirect_scheme", whole(b"", b"Location: file:///etc/passwd", status=b"301 X")),
    "redirect to gopher": ("http.redirect_scheme", whole(b"", b"Location: gopher://127.0.0.1:70/", status=b"301 X")),
    "redirect to data": ("http.redirect_scheme", whole(b"", b"Location: data:text/html,<script>", status=b"308 X")),
}
