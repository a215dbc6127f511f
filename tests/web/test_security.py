"""What passes the guard, and what does not."""

from __future__ import annotations

import pytest
from served import HOST, TestClient, make_state, png

from workflow.web.app import create_app
from workflow.web.security import HEADERS
from workflow.web.state import State

PICTURE = {"content-type": "image/png"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:9"}, 421),
        ({"host": "127.0.0.1:8000@evil.example"}, 400),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"authorization": "Bearer nothing"}, 401),
        ({"authorization": "Basic eDp4"}, 401),
        ({"x-forwarded-for": "203.0.113.9"}, 401),
        ({"host": "localhost:8000"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8000"}, 200),
        ({"sec-fetch-site": "none"}, 200),
    ],
    ids=str,
)
def test_headers_decide(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/judge", content=png(), headers=PICTURE | headers)
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()["error"]) == {"id", "message", "hint"}


def test_a_request_from_elsewhere_needs_a_token(state: State) -> None:
    with TestClient(create_app(make_state(state.project.root)), base_url=HOST, client=("203.0.113.9", 1)) as client:
        assert client.post("/api/judge", content=png(), headers=PICTURE).status_code == 401
        assert client.get("/healthz").status_code == 200


def test_behind_a_proxy_nobody_is_the_owner_without_a_token(state: State) -> None:
    """A proxy on this machine passes on what strangers send: all of it comes from the loopback interface."""
    behind = make_state(state.project.root, names=("bot.example",))
    with TestClient(create_app(behind), base_url=HOST, client=("127.0.0.1", 1)) as client:
        assert client.post("/api/judge", content=png(), headers=PICTURE).status_code == 401
        named = client.get("/healthz", headers={"host": "bot.example"})
        assert named.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/api/judge", "/nothing"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    found = client.get(path).headers
    assert {name: found[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in found["content-security-policy"]


def test_bodies_are_limited(client: TestClient, state: State) -> None:
    def halves() -> object:
        for _ in range(22):
            yield bytes(2**20)

    told = client.post("/api/judge", headers=PICTURE | {"content-length": "99999999999999999999"}, content=b"x")
    assert told.status_code == 413
    assert client.post("/api/judge", headers=PICTURE, content=halves()).status_code == 413
    assert client.post("/api/judge", headers=PICTURE | {"content-length": "x"}, content=b"x").status_code == 400
    assert state.limits.held == 0
