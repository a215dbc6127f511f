"""Every route against every attack: what is not allowed on purpose is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from served import TestClient, judged, png, serving

from workflow.web.app import create_app
from workflow.web.state import State

SHA = "0" * 64
SAMPLES = {
    "sha256": SHA, "name": "x", "number": "1", "queue": "sent", "blob": "conv", "channel": "1", "language": "en",
    "name.png": "x.png",
}  # fmt: skip
ANYBODY = {("GET", "/healthz"), ("GET", "/login"), ("POST", "/login"), ("GET", "/static/locales/en.json")}
BOT = {
    ("POST", "/api/judge"),
    ("POST", f"/api/pictures/{SHA}/report"),
    ("GET", f"/api/pictures/{SHA}"),
    ("GET", f"/api/pictures/{SHA}/thumb"),
}
OPEN_LINKS = {"/api/openapi.json"}


def routes(state: State) -> list[tuple[str, str]]:
    """Method and path of every route, its parameters filled in."""
    app = create_app(state)._app  # type: ignore[attr-defined]
    assert isinstance(app, FastAPI)
    found = []
    for route in _flat(app.routes):
        path = route.path_format
        for name, value in SAMPLES.items():
            path = path.replace("{" + name + "}", value)
        assert "{" not in path, f"no sample for {route.path_format}"
        found += [(method, path) for method in sorted(route.methods)]
    return found


def _flat(routes: object) -> Iterator[APIRoute]:
    for route in routes:  # type: ignore[attr-defined]
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):  # an included router
            yield from _flat(route.original_router.routes)


@pytest.fixture(scope="module")
def every(state: State) -> list[tuple[str, str]]:
    found = routes(state)
    assert len(found) > 30
    assert set(found) >= ANYBODY | BOT
    return found


@pytest.fixture(scope="module")
def stranger(state: State) -> Iterator[TestClient]:
    """Somebody elsewhere."""
    with serving(state.project.root, client="203.0.113.9") as (client, _):
        yield client


def ask(client: TestClient, method: str, path: str, **headers: str) -> int:
    body = None if method == "GET" else b"{}"
    kind = {} if body is None else {"content-type": "application/json"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, content=body, headers=kind | named, follow_redirects=False).status_code


def test_without_a_token(stranger: TestClient, every: list[tuple[str, str]]) -> None:
    passed = {(method, path) for method, path in every if ask(stranger, method, path) != 401}
    assert passed - {("POST", "/login")} == ANYBODY - {("POST", "/login")}  # which says 401 of its own


def test_wrong_host(client: TestClient, every: list[tuple[str, str]]) -> None:
    assert {ask(client, method, path, host="evil.example") for method, path in every} == {421}


def test_cross_site(client: TestClient, every: list[tuple[str, str]]) -> None:
    for method, path in every:
        for attack in ({"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}):
            refused = ask(client, method, path, **attack) == 403
            assert refused == (method != "GET" or path.startswith("/api/")), (method, path, attack)


def test_what_a_form_of_another_site_can_send(client: TestClient, every: list[tuple[str, str]]) -> None:
    for method, path in every:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = client.request(method, path, content=b"{}", headers={"content-type": kind})
            expected = {415} if (method, path, kind[:5]) != ("POST", "/api/judge", "multi") else {400, 415, 422}
            assert answer.status_code in expected, (method, path, kind)


def test_a_bots_token(stranger: TestClient, every: list[tuple[str, str]], state: State) -> None:
    token = state.inbox.add_token("matrix bot", "bot")
    for method, path in every:
        status = ask(stranger, method, path, authorization=f"Bearer {token}")
        if (method, path) in BOT | ANYBODY:
            assert status not in (403, 500), (method, path, status)
        else:
            assert status == 403, (method, path, status)


def test_a_bot_sees_its_own_pictures_alone(client: TestClient, stranger: TestClient, state: State) -> None:
    texts = {name: {"authorization": f"Bearer {state.inbox.add_token(name, 'bot')}"} for name in ("mine", "other")}
    sha = judged(stranger, png(41), **texts["mine"])["sha256"]
    owned = judged(client, png(42))["sha256"]
    for path in (f"/api/pictures/{sha}", f"/api/pictures/{sha}/thumb"):
        assert stranger.get(path, headers=texts["mine"]).status_code == 200
        assert stranger.get(path, headers=texts["other"]).status_code == 404
        assert client.get(path).status_code == 200
    assert stranger.get(f"/api/pictures/{owned}", headers=texts["mine"]).status_code == 404
    said = {"class": "circle", "note": "it is a circle"}
    assert stranger.post(f"/api/pictures/{sha}/report", json=said, headers=texts["other"]).status_code == 404
    assert stranger.post(f"/api/pictures/{sha}/report", json=said, headers=texts["mine"]).status_code == 200
    (kept,) = client.get(f"/api/pictures/{sha}").json()["reports"]
    assert (kept["class"], kept["note"], kept["sender"]) == ("circle", "it is a circle", "mine")
    state.inbox.revoke("mine")
    assert stranger.get(f"/api/pictures/{sha}", headers=texts["mine"]).status_code == 401


def test_a_token_has_a_rate(state: State) -> None:
    from workflow.web.limits import Limits

    with serving(state.project.root, client="203.0.113.9", limits=Limits(rates={"bot": (0.01, 3)})) as (client, own):
        asking = {"authorization": f"Bearer {own.inbox.add_token('eager', 'bot')}"}
        answers = [client.get(f"/api/pictures/{SHA}", headers=asking) for _ in range(5)]
        assert [one.status_code for one in answers] == [404, 404, 404, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
