"""Routes are found by their parts, and headers that are read by hand are documented like others."""

from __future__ import annotations

import re
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request

from shared.headers import HeaderField, read, reads
from shared.http import new_api
from shared.identity.access import OPEN, Access
from shared.routing import include

COLOUR = HeaderField("X-Colour", re.compile("red|blue"), "of the thing", required=True)
SIZE = HeaderField("X-Size", re.compile("[0-9]+"))


@reads(COLOUR, SIZE)
async def _sent(request: Request) -> dict[str, str]:
    return read(request, (COLOUR, SIZE))


def build() -> FastAPI:
    things = APIRouter(tags=["things"])

    @things.get("/things/{thing}")
    async def one(thing: int) -> dict[str, object]:
        return {"thing": thing}

    @things.get("/things/newest")
    async def newest() -> dict[str, object]:
        return {"thing": "newest"}

    @things.post("/things", status_code=201)
    async def make(sent: Annotated[dict[str, str], Depends(_sent)]) -> dict[str, str]:
        return sent

    files = APIRouter()

    @files.get("/files/{name}.txt")
    async def file(name: str) -> dict[str, str]:
        return {"name": name}

    @files.get("/deep/{rest:path}")
    async def deep(rest: str) -> dict[str, str]:
        return {"rest": rest}

    api = new_api("test", "Things.")
    include(api, [things, files], access=ACCESS, prefix="/v1")
    return api


ACCESS: Access = {
    "GET /v1/things/{thing}": OPEN,
    "GET /v1/things/newest": OPEN,
    "POST /v1/things": OPEN,
    "GET /v1/files/{name}.txt": OPEN,
    "GET /v1/deep/{rest:path}": OPEN,
}


async def ask(method: str, path: str, **headers: str) -> httpx.Response:
    app = httpx.ASGITransport(app=build())
    async with httpx.AsyncClient(transport=app, base_url="http://test") as http:
        return await http.request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/v1/things/7", {"thing": 7}, id="a parameter"),
        pytest.param("/v1/things/newest", {"thing": "newest"}, id="a word before a parameter"),
        pytest.param("/v1/files/a.b.txt", {"name": "a.b"}, id="a parameter within a part"),
        pytest.param("/v1/deep/a/b/c", {"rest": "a/b/c"}, id="a parameter of several parts"),
    ],
)
async def test_a_path_finds_its_route(path: str, expected: dict[str, object]) -> None:
    answer = await ask("GET", path)
    assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/v1/nothing/7", 404, id="a word nobody knows"),
        pytest.param("GET", "/v1/things/7/more", 404, id="a part too many"),
        pytest.param("GET", "/things/7", 404, id="without the prefix"),
        pytest.param("DELETE", "/v1/things/7", 405, id="a method the route has not"),
        pytest.param("GET", "/v1/files/a.csv", 404, id="a part that is not quite it"),
    ],
)
async def test_what_no_route_takes_is_refused_in_words(method: str, path: str, status: int) -> None:
    answer = await ask(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_headers_come_by_name_and_the_status_stays() -> None:
    answer = await ask("POST", "/v1/things", **{"X-Colour": "red", "X-Size": "12"})
    assert (answer.status_code, answer.json()) == (201, {"X-Colour": "red", "X-Size": "12"})


async def test_every_wrong_header_is_named_at_once() -> None:
    answer = await ask("POST", "/v1/things", **{"X-Size": "twelve"})
    fields = [each["field"] for each in answer.json()["errors"]]
    assert (answer.status_code, fields) == (422, ["header.X-Colour", "header.X-Size"])


def test_the_document_has_headers_refusals_and_the_route_once() -> None:
    paths = build().openapi()["paths"]
    made = paths["/v1/things"]["post"]
    named = {each["name"]: (each["in"], each["required"]) for each in made["parameters"]}
    assert named == {"X-Colour": ("header", True), "X-Size": ("header", False)}
    assert set(made["responses"]) == {"201", "4XX", "503"}
    assert made["tags"] == ["things"]
    assert len(paths) == 5
