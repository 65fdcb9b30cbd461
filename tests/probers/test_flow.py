"""A flow against real servers: values and cookies passed on, steps that fail in turn."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from monitor.core.clause import Clause
from monitor.core.codes import Blame
from monitor.core.expectation import Expect, Outcome, Result
from monitor.core.observation import observation_to_json
from monitor.probers import Reach

from .flows import body, document, facts, flow_of, paths, ran, run, step
from .looking import reaching
from .misbehaving import WAYS, Behaviour, answer, by_path, raw, redirect, served

# -- values that are passed on ---------------------------------------------------------------------------------------


VALUES = {
    "text": "Caneca Aurora",
    "number": 4990,
    "fraction": 49.9,
    "yes": True,
    "nothing much": 0,
    "list": [1, "a", None],
    "object": {"id": "Normal", "price": 1290},
    "odd text": 'a/b?c&d=e#f%2F+ "ç" ${other}',
    "dots inside": "../../etc",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_a_value_arrives_in_each_place_as_it_was_saved(reach: Reach, value: Any) -> None:
    """Alone in JSON with its own type; as text elsewhere, encoded for its place and taken for nothing else."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    way = by_path(first=document({"a": {"b": value}}), echo=answer())
    async with served(way) as server:
        url = server.url(path="/echo")
        _, result = await run(
            reach,
            flow_of(
                step(server.url(path="/first"), save={"it": "a.b"}),
                step(f"{url}/${{it}}/end?q=${{it}}&z=1", json={"it": "${it}", "in": ["<${it}>"]}, method="POST"),
                step(url, form={"a": "${it}", "b": "2"}, method="POST"),
                step(url, body="x ${it} y", method="POST", headers=(("X-It", "v=${it}"),)),
            ),
        )

    assert result == Result(Outcome.PASSED)
    _, asked, form, plain = server.requests
    target = asked.split(b" ", 2)[1].decode()
    where = urlsplit(target)
    assert [unquote(part) for part in where.path.split("/")] == ["", "echo", text, "end"]
    assert dict(parse_qsl(where.query)) == {"q": text, "z": "1"}
    sent = json.loads(asked.partition(b"\r\n\r\n")[2])
    assert sent == {"it": value, "in": [f"<{text}>"]}
    assert type(sent["it"]) is type(value)
    assert dict(parse_qsl(form.partition(b"\r\n\r\n")[2].decode())) == {"a": text, "b": "2"}
    assert plain.partition(b"\r\n\r\n")[2].decode() == f"x {text} y"
    assert f"X-It: v={text}".encode() in plain


UNFIT = {
    "nothing there": ({"b": 1}, "nothing to save"),
    "null": ({"a": None}, "nothing to save"),
    "empty text": ({"a": ""}, "nothing to save"),
    "a header of their own": ({"a": "x\r\nX-Evil: 1"}, "control characters"),
    "a nul": ({"a": "x\0y"}, "control characters"),
    "half a character": ('{"a": "\\ud800"}', "control characters"),
    "the folder above": ({"a": ".."}, "nothing but dots"),
    "too long a text": ({"a": "x" * 4097}, "more than 4,096"),
    "too long a list": ({"a": [0] * 3000}, "more than 4,096"),
    "a huge text": ({"a": "x" * 1_500_000}, "more than 4,096"),
    "no finite number": ('{"a": 1e999}', "JSON cannot write"),
}


@pytest.mark.parametrize(("value", "said"), UNFIT.values(), ids=UNFIT)
async def test_what_cannot_be_handed_on_fails_the_step_that_gives_it(reach: Reach, value: Any, said: str) -> None:
    """What comes after it would lie, so nothing comes after it."""
    first = answer(value.encode()) if isinstance(value, str) else document(value)
    async with served(by_path(first=first, echo=answer())) as server:
        observation, result = await run(
            reach,
            flow_of(
                step(server.url(path="/first"), "catalog", save={"it": "a"}),
                step(server.url(path="/echo"), headers=(("X-It", "${it}"),)),
            ),
        )

    assert (result.outcome, result.code) == (Outcome.FAILED, "content.assertion")
    assert result.reasons[0].startswith("step 1 “first” (catalog): ")
    assert said in result.reasons[0]
    assert len(result.reasons[0]) < 200
    assert paths(server) == ["/first"]
    assert observation.failure is not None


async def test_a_body_that_is_no_json_has_nothing_to_save(reach: Reach) -> None:
    """And says so in its own words."""
    async with served(WAYS["HTML instead of JSON"]) as server:
        _, result = await run(reach, flow_of(step(server.url(), save={"it": "a"})))

    assert result.code == "content.invalid_json"


async def test_an_answer_that_speaks_of_test_data_is_no_outage_though_nothing_is_saved(reach: Reach) -> None:
    """A SKU that is sold out leaves nothing in the cart to go on with."""
    sold_out = {"items": [], "messages": [{"code": "withoutStock", "status": "error", "text": "…"}]}
    async with served(document(sold_out)) as server:
        for expect in (Expect(), Expect(json=(("items", ()),))):
            _, result = await run(reach, flow_of(step(server.url(), expect=expect, save={"it": "items[0].uniqueId"})))
            assert (result.code, result.blame) == ("step.precondition", Blame.CONFIGURATION)


async def test_braces_that_no_earlier_step_saves_stay_as_they_are(reach: Reach) -> None:
    """A literal `${x}` is none of ours, also when a later step saves something by that name."""
    async with served(document({"x": 1})) as server:
        first = step(server.url(path="/a"), json={"a": "${x}", "b": "<${x}>"}, method="POST", save={"x": "x"})
        await run(reach, flow_of(first))

    assert json.loads(body(server)) == {"a": "${x}", "b": "<${x}>"}


# -- cookies ---------------------------------------------------------------------------------------------------------


async def test_cookies_go_along_to_whom_they_are_meant_for(reach: Reach) -> None:
    """Through redirects too; not to another host, not past their path, not once they have ended."""
    jar = (
        "Set-Cookie: cart=1; path=/\r\nSet-Cookie: deep=2; path=/only\r\nSet-Cookie: alien=3; domain=other.example\r\n"
    )
    way = by_path(
        a=answer(headers=jar),
        b=redirect("/c", headers="Set-Cookie: hop=4; path=/\r\n"),
        c=answer(headers="Set-Cookie: cart=; path=/; Max-Age=0\r\n"),
        d=answer(),
        only=answer(),
    )
    async with served(way) as server:
        steps = [step(server.url(path=path)) for path in ("/a", "/b", "/d", "/only/x")]
        steps.append(step(server.url(host="localhost", path="/d")))
        _, result = await run(reach, flow_of(*steps))

    assert result.code is None
    cookies = [
        {
            part.strip()
            for line in one.decode().split("\r\n")
            if line.startswith("Cookie:")
            for part in line[7:].split(";")
        }
        for one in server.requests
    ]
    assert cookies == [set(), {"cart=1"}, {"cart=1", "hop=4"}, {"hop=4"}, {"hop=4", "deep=2"}, set()]


async def test_no_cookie_outlives_its_run(reach: Reach) -> None:
    """The next run begins as a stranger."""
    async with served(answer(headers="Set-Cookie: cart=1; path=/\r\n")) as server:
        flow = flow_of(step(server.url()))
        await run(reach, flow)
        await run(reach, flow)

    assert not any(b"Cookie:" in one for one in server.requests)


# -- steps that fail -------------------------------------------------------------------------------------------------


FAILING = {
    "status 503": "http.503",
    "status 404": "http.404",
    "status 429": "http.429",
    "closes after the request": "http.closed",
    "resets amid the body": "http.truncated",
    "HTML instead of JSON": "content.invalid_json",
    "truncated JSON": "content.invalid_json",
    "endless body": "http.body_too_large",
    "redirect to metadata": "http.redirect_unexpected",
    "silent": "http.ttfb_timeout",
    "drips the body": "http.transfer_timeout",
}


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize(("way", "code"), FAILING.items())
async def test_the_first_step_that_fails_is_the_end_of_it(reach: Reach, way: str, code: str, index: int) -> None:
    """Its own code, its module; what comes after it is not run, and nothing is asked twice."""
    ways = {name: document({"ok": True}) for name in "abc"} | {"abc"[index]: WAYS[way]}
    expect = Expect(json=(("ok", (Clause("equals", True),)),))
    async with served(by_path(**ways)) as server:
        steps = [step(server.url(path=f"/{name}"), f"module-{name}", expect, name=name) for name in "abc"]
        observation, result = await run(reach, flow_of(*steps, limit=0.5))

    assert result.code in (code, "http.reset") if way.startswith("resets") else result.code == code
    assert result.reasons[0].startswith(f"step {index + 1} “{'abc'[index]}” (module-{'abc'[index]}): ")
    assert ran(observation) == list("abc"[: index + 1])
    assert paths(server)[: index + 1] == [f"/{name}" for name in "abc"[: index + 1]]
    assert len(server.requests) == index + 1
    seen = facts(observation)[index]
    assert seen is not None
    assert (seen.http, seen.failure, seen.address) == (observation.http, observation.failure, observation.address)


async def test_the_time_limit_is_that_of_all_steps(reach: Reach) -> None:
    """The step that is running when it strikes has the code of its phase, and the time that the others had left."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await answer()(reader, writer)

    async with served(by_path(a=slow, b=slow, c=WAYS["silent"])) as server:
        observation, result = await run(reach, flow_of(*(step(server.url(path=f"/{one}")) for one in "abc"), limit=0.7))

    assert result.code == "http.ttfb_timeout"
    assert result.reasons[0].startswith("step 3 “c”")
    assert 0.65 < observation.duration < 0.95
    last = facts(observation)[2]
    assert last is not None
    assert last.duration < 0.35


async def test_facts_of_the_whole(reach: Reach) -> None:
    """Phases are summed over the steps; answer and values are those of the last step."""
    expect = Expect(json=(("ok", (Clause("equals", True),)),))
    async with served(document({"ok": True})) as server:
        steps = [step(server.url(path=f"/{one}"), expect=expect) for one in "abc"]
        observation, _ = await run(reach, flow_of(*steps))

    told = [one for one in facts(observation) if one is not None]
    assert len(told) == 3
    for phase in ("connect", "processing", "transfer"):
        assert observation.phases[phase] == pytest.approx(sum(one.phases[phase] for one in told))
    assert observation.values == {"ok": True}
    assert observation.address == f"127.0.0.1:{server.port}"
    assert [one.at for one in told] == sorted(one.at for one in told)


async def test_own_trouble_in_a_step_blames_nobody(reach: Reach) -> None:
    """An address that cannot be asked is a matter of the configuration."""
    async with served(answer()) as server:
        bad = step("http://127.0.0.1:1/", allow_private=False)
        observation, result = await run(reach, flow_of(step(server.url()), bad))

    assert (result.outcome, result.code, result.blame) == (Outcome.UNKNOWN, "self.config", Blame.SELF)
    assert observation.failure is not None


async def test_every_exchange_can_be_followed_with_secrets_hidden() -> None:
    """Each step with its name; keys of one step are hidden in the answers to another, what was saved is shown."""
    lines: list[str] = []
    echo = document({"token": "key-of-the-first-step", "sku": "7\u202e", "pass": "let-me-in/please"})
    async with reaching(secrets=["s3cret-value"]) as reach, served(by_path(a=echo, b=echo)) as server:
        first = step(
            server.url(path="/a"),
            headers=(("Authorization", "key-of-the-first-step"),),
            save={"sku": "sku", "a_token": "pass"},
        )
        second = step(server.url(path="/b?x=${sku}&s=s3cret-value&t=${a_token}"), "catalog")
        await run(reach, flow_of(first, second), trace=lines.append)

    text = "\n".join(lines)
    assert "step 1 “a” (checkout)" in text
    assert "step 2 " in text
    assert "saved sku: 7" in text
    assert "saved a_token: •••" in text
    assert "let-me-in" not in text
    assert "key-of-the-first-step" not in text
    assert "s3cret-value" not in text
    assert "\u202e" not in text


TOKEN = "let-me-in/please"
GIVEN = {
    "a text": TOKEN,
    "a text within": {"a": [1, {"b": TOKEN}]},
    "one that the excerpt halves": "x" * 20 + TOKEN * 100,
}


@pytest.mark.parametrize("value", GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("before", [0, 2020])
async def test_a_token_is_hidden_in_the_answer_that_gives_it_too(reach: Reach, value: Any, before: int) -> None:
    """And in every later one, whatever it lies in; the answers are stored and shown."""
    login = document({"before": "y" * before, "it": value, "ok": True})
    expect = Expect(json=(("it", (Clause("exists", True),)), ("ok", (Clause("equals", True),))))
    async with served(by_path(a=login, b=login)) as server:
        first = step(server.url(path="/a"), expect=expect, save={"a_token": "it"})
        second = step(server.url(path="/b"), expect=expect, json={"it": "${a_token}"}, method="POST")
        observation, result = await run(reach, flow_of(first, second))

    assert result == Result(Outcome.PASSED)
    assert json.loads(body(server)) == {"it": value}
    assert "let-me" not in json.dumps(observation_to_json(observation))


UNREAD = {
    "too large to be saved": (document({"it": TOKEN * 1000}), "content.assertion"),
    "cut off": (raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"it": "' + TOKEN.encode()), "http.truncated"),
    "no whole JSON": (answer(b'{"it": "' + TOKEN.encode() + b'"'), "content.invalid_json"),
}


@pytest.mark.parametrize(("way", "code"), UNREAD.values(), ids=UNREAD)
async def test_a_token_that_cannot_be_read_is_not_shown(reach: Reach, way: Behaviour, code: str) -> None:
    """The step that should give it fails, and its answer is nobody's to read."""
    async with served(way) as server:
        observation, result = await run(reach, flow_of(step(server.url(), save={"a_token": "it"})))

    assert result.code == code
    assert "let-me" not in json.dumps(observation_to_json(observation))


async def test_why_a_token_is_refused_is_shown(reach: Reach) -> None:
    """An answer without one is told as any other."""
    for way in (document({"message": "wrong key"}), answer(b"wrong key", status="401 Unauthorized")):
        async with served(way) as server:
            observation, _ = await run(reach, flow_of(step(server.url(), save={"a_token": "it"})))
        assert observation.http is not None
        assert "wrong key" in (observation.http.excerpt or "")
