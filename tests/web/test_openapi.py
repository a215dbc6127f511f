"""The description of the API: every number and text in a request is bounded, every error documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from served import TestClient

from workflow.web.errors import RESPONSES

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


def unbounded(schema: dict[str, Any], described: dict[str, Any], place: str) -> list[str]:
    """Where a schema leaves a number, a text or a list without a bound."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return unbounded(described["components"]["schemas"][name], described, f"{place}({name})")
    found: list[str] = []
    for choice in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(choice, ()):
            found += unbounded(one, described, place)
    if "enum" in schema or "const" in schema:
        return found
    match schema.get("type"):
        case "integer" | "number":
            if not (
                schema.keys() & {"minimum", "exclusiveMinimum"} and schema.keys() & {"maximum", "exclusiveMaximum"}
            ):
                found.append(place)
        case "string":
            if not schema.keys() & {"maxLength", "pattern"} and schema.get("format") != "binary":
                found.append(place)
        case "array":
            if "maxItems" not in schema:
                found.append(place)
            found += unbounded(schema["items"], described, f"{place}[]")
        case "object":
            for name, one in schema.get("properties", {}).items():
                found += unbounded(one, described, f"{place}.{name}")
    return found


def test_what_a_request_may_hold_is_bounded(described: dict[str, Any]) -> None:
    found = []
    for path, item in described["paths"].items():
        for method in item.keys() & set(METHODS):
            operation = item[method]
            for one in operation.get("parameters", ()):
                found += unbounded(one["schema"], described, f"{method} {path} {one['name']}")
            for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                found += unbounded(body["schema"], described, f"{method} {path} {kind}")
    assert found == []


def test_the_search_for_bounds_finds_what_has_none() -> None:
    items = {"type": "array", "maxItems": 9, "items": {"type": "object", "properties": {"a": {"type": "string"}}}}
    assert unbounded(items, {}, "x") == ["x[].a"]
    assert unbounded({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}, {}, "x") == ["x"]


def test_every_operation_says_what_it_is_for_and_how_it_may_fail(described: dict[str, Any]) -> None:
    for path, item in described["paths"].items():
        for method in item.keys() & set(METHODS):
            operation = item[method]
            assert operation.get("description"), (method, path)
            assert {str(status) for status in RESPONSES} <= operation["responses"].keys(), (method, path)


def patterns(schema: object) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        return own.union(*map(patterns, schema.values()))
    return set().union(*map(patterns, schema)) if isinstance(schema, list) else set()


def test_no_pattern_repeats_a_class_of_all_scripts(described: dict[str, Any]) -> None:
    r"""Pydantic's engine unrolls [\w]{1,100}: 2,000 ranges of characters a hundred times took 10 MB a field."""
    found = patterns(described)
    assert len(found) > 5
    assert [one for one in found if re.search(r"\\[wds](?:[^\[\]]*\])?\{", one)] == []


def test_the_page_names_what_there_is(described: dict[str, Any]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
    known = {(method, re.sub(r"{\w+}", "X", path)) for path, item in described["paths"].items() for method in item}
    named = set()
    for method, path in re.findall(r"`(GET|POST|DELETE) (/[^`?]*)[^`]*`", text):
        named.add((method.lower(), re.sub(r"/(SHA|N|ID|NAME)(?=/|$)", "/X", path)))
    assert len(named) > 20
    assert named - known == set()


def test_no_page_of_another_host_shows_it(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404
