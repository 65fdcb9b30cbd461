"""The description of the operators' API, held against the specification, the routes and real answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from monitor.web.openapi import OPERATIONS, document
from monitor.web.people_schemas import people
from monitor.web.spoken import KEYS
from tests.web.operators import HOLDER, OPEN, TOKEN, Side, serving, stormy

SHOP = replace(stormy()[0].platform, languages=("pt-BR", "en"))
API = "/api/ops/v1"
TAKEN = {
    "resolve": "ending",
    "postmortem": "learned",
    "acknowledge": "author",
    "publish": "author",
    "lower": "lowering",
}


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, TOKEN, stormy()) as one:
        yield one


def schema(name: str) -> dict[str, Any]:
    whole = document(SHOP, locked=True)
    return {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}


def check(name: str, what: Any) -> None:
    """Raises for what is not as described."""
    Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(what)


@pytest.mark.parametrize("locked", [True, False])
def test_it_is_openapi_3_1(locked: bool) -> None:
    """By the validator of the specification."""
    validate(document(SHOP, locked=locked), cls=OpenAPIV31SpecValidator)


def test_every_operation_has_a_name_of_its_own() -> None:
    """Generators of clients name their functions by it."""
    names = [one["operationId"] for path in document(SHOP, locked=True)["paths"].values() for one in path.values()]
    assert len(set(names)) == len(names) == len(OPERATIONS)


async def test_every_route_is_described_and_every_description_has_its_route(side: Side) -> None:
    """Pages for people are none of its business."""
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in side.client.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    pages = ("/healthcheck", "/acknowledge", "/subscribe/", "/unsubscribe")
    described = {one for one in routes if one[1] != "/" and not one[1].startswith(pages)}
    assert described == set(OPERATIONS)


@pytest.mark.parametrize("act", KEYS)
def test_every_key_that_people_may_send_is_described(act: str) -> None:
    """No other one is taken."""
    described = people(("en",), ["a"], ["b"])[TAKEN.get(act, act)]
    assert set(described["properties"]) == set(KEYS[act])
    assert described["additionalProperties"] is False


async def test_answers_are_as_described(side: Side) -> None:
    """With everything that incidents can hold; every key of ours is described."""
    listed, status = await read(side, f"{API}/incidents"), await read(side, f"{API}/status")
    check("incidents", listed)
    check("status", status)
    for one in listed["incidents"]:
        check("incident", await read(side, f"{API}/incidents/{one['id']}"))
        assert set(one) <= set(schema("incident")["components"]["schemas"]["incident"]["properties"])
        assert set(one["cause"]) == set(schema("incident")["components"]["schemas"]["cause"]["properties"])
    assert set(status["modules"][0]) == set(schema("module")["components"]["schemas"]["module"]["properties"])


async def read(side: Side, path: str) -> Any:
    async with side.client.get(path, headers=HOLDER) as answer:
        assert answer.status == 200
        return await answer.json()


BELOW = f"{API}/incidents/{OPEN.id}"


async def test_modules_and_the_audit_log_are_as_described(side: Side) -> None:
    """With the newest runs, every key of them named; what is masked stays masked."""
    async with side.client.post(f"{API}/modules/checkout/probe", json={"author": "Ana"}, headers=HOLDER) as answer:
        assert answer.status == 202
    await side.desk.stored()
    modules, one, log = [await read(side, f"{API}/{path}") for path in ("modules", "modules/checkout", "audit")]
    check("modules", modules)
    check("dossier", one)
    check("audit", log)
    named = schema("run")["components"]["schemas"]
    assert one["runs"]
    for run in one["runs"]:
        assert set(run) == {*named["observation"]["properties"], "result", "discarded"}
    assert set(one) == {*named["module"]["properties"], *named["dossier"]["allOf"][1]["properties"]}
    assert [entry["act"] for entry in log["entries"]] == ["probe.run"]
    assert set(log["entries"][0]) == set(named["entry"]["properties"])


async def test_modules_come_in_pages_by_their_status(side: Side) -> None:
    """Together they are all of them, once."""
    found, path = [], f"{API}/modules?limit=7"
    while path:
        page = await read(side, path)
        found += [one["id"] for one in page["modules"]]
        path = page["next"]
    assert found == sorted(side.desk.board.platform.modules)
    down = (await read(side, f"{API}/modules?status=down"))["modules"]
    assert {one["status"] for one in down} == {"down"}
    async with side.client.get(f"{API}/modules/nope", headers=HOLDER) as answer:
        assert answer.status == 404


def test_every_example_is_what_it_shows() -> None:
    """Held against its own schema; and every object that is sent has one."""
    whole = document(SHOP, locked=True)
    taken = [one["requestBody"] for path in whole["paths"].values() for one in path.values() if "requestBody" in one]
    for body in taken:
        content = body["content"]["application/json"]
        Draft202012Validator(content["schema"] | {"components": whole["components"]}).validate(content["example"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [("POST", f"{API}/incidents", {"title": "t", "message": "m", "modules": ["checkout"]}, 201),
     ("POST", f"{API}/incidents", {"title": "t", "message": "m"}, 400),
     ("POST", f"{API}/incidents", {"title": {"fr": "t"}, "message": "m", "modules": ["checkout"]}, 400),
     ("POST", f"{BELOW}/updates", {"message": "m"}, 404),
     ("POST", f"{API}/modules/checkout/probe", {}, 202),
     ("POST", f"{API}/modules/checkout/probe", {"x": 1}, 400)],
)  # fmt: skip
async def test_what_is_answered_to_a_word_is_described(
    side: Side, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    """The status, the type and the object."""
    async with side.client.request(method, path, json=body, headers=HOLDER) as answer:
        assert answer.status == status
        known = path.replace(OPEN.id, "{id}").replace("modules/checkout", "modules/{id}")
        whole = document(SHOP, locked=True)
        described = whole["paths"][known][method.lower()]["responses"][str(status)]["content"]
        found = described[answer.content_type]["schema"] | {"components": whole["components"]}
        Draft202012Validator(found).validate(await answer.json())


async def test_whoever_asks_may_read_it(side: Side) -> None:
    """It says nothing that the documentation does not."""
    async with side.client.get(f"{API}/openapi.json") as answer:
        assert (answer.status, (await answer.json())["openapi"]) == (200, "3.1.0")
