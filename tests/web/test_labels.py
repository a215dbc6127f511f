"""Labels, queues, the gallery, take-over and tokens over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from an_inbox import send
from one_generation import make_one
from served import HOST, TestClient, make_state

from workflow.inbox import Facts, Item
from workflow.web.app import create_app
from workflow.web.state import State


@pytest.fixture
def own(project) -> State:
    """A project that the test may change."""
    make_one(project)
    return make_state(project)


@pytest.fixture
def owner(own: State) -> Iterator[TestClient]:
    with TestClient(create_app(own), base_url=HOST, client=("127.0.0.1", 50000)) as made:
        yield made


def test_from_a_picture_that_was_sent_to_a_link_for_the_next_generation(owner, own, project):
    sha = send(own.inbox, 1, circle=0.6, cross=0.4)
    page = owner.get("/api/queues/sent").json()
    assert (page["queue"], page["left"], page["classes"], page["next"]) == (
        "sent",
        1,
        ["circle", "cross", "empty"],
        None,
    )
    (item,) = page["items"]
    assert (item["sha256"], item["suggested"], item["class"], item["probability"]) == (sha, "circle", None, 0.6)
    entry = {"key": "k1", "sha256": sha, "kind": "label", "class": "cross", "was": None, "queue": "sent"}
    first = owner.post("/api/labels", json=[entry]).json()["results"]
    assert first == [{"key": "k1", "seq": 1, "status": "saved", "message": None}]
    assert owner.post("/api/labels", json=[entry]).json()["results"][0]["status"] == "known"
    assert owner.get("/api/queues/sent").json()["left"] == 0
    would = owner.get("/api/takeover").json()
    assert (would["linked"], would["patch"]) == (1, None)
    assert owner.post("/api/takeover").json() == would
    assert (project / "inbox" / "labelled" / "cross" / f"{sha}.jpg").is_file()
    undone = owner.post("/api/undo", json={"key": "k1"}).json()
    assert undone == {"seq": 2, "sha256": sha, "class": None, "state": None}
    assert owner.post("/api/takeover").json()["removed"] == 1
    assert not list((project / "inbox" / "labelled").glob("*/*"))


def test_a_class_that_is_not_there_stops_no_other_label(owner, own):
    shas = [send(own.inbox, number) for number in (1, 2)]
    entries = [
        {"key": f"k{sha[:4]}", "sha256": sha, "kind": "label", "class": name}
        for sha, name in zip(shas, ("zebra", "cross"), strict=True)
    ]
    refused, saved = owner.post("/api/labels", json=entries).json()["results"]
    assert (refused["status"], saved["status"]) == ("conflict", "saved")
    assert refused["message"] == "there is no class 'zebra'; classes: circle, cross, empty"


SHA = "0" * 64
GOOD = {"key": "k", "sha256": SHA, "kind": "later"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        [GOOD] * 101,
        {},
        [GOOD | {"key": ""}],
        [GOOD | {"key": "k" * 101}],
        [GOOD | {"sha256": SHA + "0"}],
        [GOOD | {"sha256": SHA.replace("0", "A")}],
        [GOOD | {"sha256": "../../etc/passwd"}],
        [GOOD | {"kind": "undo"}],
        [GOOD | {"class": 7}],
        [GOOD | {"seq": 10**20}],
        [GOOD | {"seq": -1}],
        [GOOD | {"queue": "../x"}],
        [GOOD | {"more": 1}],
        [GOOD | {"key": "k\n"}],
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_is_no_decision_is_refused_with_a_sentence(client, body):
    answer = client.post("/api/labels", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("field", ["class", "was", "key", "queue", "kind", "sha256"])
@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "\\u202e", "x" * 5000])
def test_texts_that_are_none_end_in_a_sentence(client, field, text):
    entry = {"key": "k", "sha256": SHA, "kind": "label", "class": "cross"} | {field: "TEXT"}
    body = json.dumps([entry]).replace("TEXT", text)
    answer = client.post("/api/labels", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 422)
    assert answer.json()


def test_every_page_of_a_queue_and_every_anchor(owner, own):
    own.inbox.learn()
    everything = owner.get("/api/gallery").json()
    shas = [one["sha256"] for one in everything["items"]]
    assert (everything["total"], len(shas), everything["next"]) == (38, 38, None)
    own.inbox.fill("mistakes", "Mistakes", [Item(facts=Facts(sha256=sha), suggestion="cross") for sha in shas])
    seen, after = [], None
    while True:
        page = owner.get("/api/queues/mistakes", params={"limit": 7} | ({"after": after} if after else {})).json()
        seen += [one["sha256"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == shas
    anchors = owner.get("/api/queues/mistakes/anchors?step=10").json()["anchors"]
    assert len(anchors) == 3
    jumped = owner.get("/api/queues/mistakes", params={"after": anchors[1], "limit": 1}).json()
    assert jumped["items"][0]["sha256"] == shas[20]
    anchor = owner.get("/api/gallery/anchors?step=10&split=train").json()["anchors"][0]
    train = [one["sha256"] for one in everything["items"] if one["split"] == "train"]
    page = owner.get("/api/gallery", params={"split": "train", "after": anchor, "limit": 1}).json()
    assert (page["items"][0]["sha256"], page["total"]) == (train[10], 24)


@pytest.mark.parametrize(
    ("query", "count"),
    [("class=circle", 13), ("split=test", 14), ("class=circle&split=test", 5), ("generation=1", 38), ("sender=x", 0)],
)
def test_filters(client, state, query, count):
    state.inbox.learn()
    assert client.get(f"/api/gallery?{query}").json()["total"] == count


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/queues/nothing", 404),
        ("/api/queues/sent?after=x", 422),
        ("/api/queues/sent?after=1.2.3", 422),
        ("/api/queues/sent?limit=101", 422),
        ("/api/queues/sent?limit=0", 422),
        ("/api/queues/sent?limit=99999999999999999999", 422),
        (f"/api/queues/sent?after={10**30}", 422),
        ("/api/gallery?split=neither", 422),
        ("/api/gallery?generation=99999999999999999999", 422),
        ("/api/gallery/anchors?step=0", 422),
        ("/api/gallery?after=0", 200),
        ("/api/queues/sent?after=-1.0", 200),
    ],
)
def test_addresses(client, address, status):
    assert client.get(address).status_code == status


def test_tokens(owner, own):
    made = owner.post("/api/tokens", json={"name": "ann", "role": "labeller"})
    assert made.status_code == 201
    text = made.json()["token"]
    assert text not in owner.get("/api/tokens").text
    assert text.encode() not in b"".join(path.read_bytes() for path in own.inbox.folder.glob("inbox.sqlite*"))
    sha = send(own.inbox, 1)
    asking = {"authorization": f"Bearer {text}"}
    entry = {"key": "a", "sha256": sha, "kind": "label", "class": "cross"}
    assert owner.post("/api/labels", json=[entry], headers=asking).json()["results"][0]["status"] == "saved"
    for address in ("queues/sent", "queues/sent/anchors", "gallery", "gallery/anchors", f"pictures/{sha}"):
        assert owner.get(f"/api/{address}", headers=asking).status_code == 200
    assert owner.post("/api/takeover", json={}, headers=asking).status_code == 403
    assert owner.get("/api/tokens", headers=asking).status_code == 403
    assert owner.post("/api/tokens", json={"name": "ann", "role": "bot"}).status_code == 422
    assert owner.request("DELETE", "/api/tokens/ann").json()["revoked"]
    assert owner.get("/api/queues", headers=asking).status_code == 401
    assert owner.request("DELETE", "/api/tokens/nobody").status_code == 404
