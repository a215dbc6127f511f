"""One picture over HTTP: facts, small pictures, reports."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image
from served import TestClient, judged, png

from workflow.web.state import State


def test_what_was_sent_is_known(client: TestClient) -> None:
    told = judged(client, png(21))
    facts = client.get(f"/api/pictures/{told['sha256']}").json()
    assert (facts["format"], facts["width"], facts["height"], facts["origin"]) == ("PNG", 20, 16, "sent")
    assert facts["known"] is None
    (answer,) = facts["answers"]
    assert (answer["snapshot"], answer["label"]) == (told["snapshot"], told["label"])
    assert answer["probabilities"] == pytest.approx(told["probabilities"])
    judged(client, png(21))
    assert len(client.get(f"/api/pictures/{told['sha256']}").json()["answers"]) == 2


def test_what_is_not_to_be_kept_is_not(client: TestClient) -> None:
    told = client.post("/api/judge?keep=false", content=png(22), headers={"content-type": "image/png"}).json()
    assert client.get(f"/api/pictures/{told['sha256']}").status_code == 404


def test_a_picture_of_a_generation_is_known(client: TestClient, state: State) -> None:
    state.inbox.learn()
    data = (state.project.root / "images" / "train" / "cross" / "1.png").read_bytes()
    told = judged(client, data)
    assert told["known"] == {"class": "cross", "generation": 1, "split": "train", "path": "images/train/cross/1.png"}
    assert client.get(f"/api/pictures/{told['sha256']}/thumb").status_code == 200


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_small_pictures(client: TestClient, side: int) -> None:
    told = judged(client, png(23, (1500, 300)))
    answer = client.get(f"/api/pictures/{told['sha256']}/thumb?side={side}")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    assert Image.open(io.BytesIO(answer.content)).size == (side, round(side / 5))
    assert client.get(f"/api/pictures/{told['sha256']}/thumb?side={side + 1}").status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"class": "circle"}, 200),
        ({"class": None, "note": "a dog"}, 200),
        ({"class": "zebra"}, 422),
        ({"class": "circle", "note": "x" * 501}, 422),
        ({"class": 7}, 422),
        ({}, 422),
        ({"class": "circle", "more": 1}, 422),
        ({"class": "circle", "note": "\ud800"}, 422),
    ],
    ids=str,
)
def test_reports(client: TestClient, body: dict[str, object], status: int) -> None:
    sha = judged(client, png(24))["sha256"]
    kind = {"content-type": "application/json"}
    answer = client.post(f"/api/pictures/{sha}/report", content=json.dumps(body), headers=kind)
    assert answer.status_code == status, answer.text


def test_names_that_are_no_digest(client: TestClient) -> None:
    for name in ("..%2f..%2fetc%2fpasswd", "A" * 64, "0" * 63, "0" * 65, "%00" * 64, "0" * 63 + "%0a"):
        assert client.get(f"/api/pictures/{name}").status_code in (404, 422), name
        assert client.get(f"/api/pictures/{name}/thumb").status_code in (404, 422), name


def test_sending_says_so_to_those_who_listen(client: TestClient, state: State) -> None:
    before = state.events._number
    told = judged(client, png(25))
    later = [one.text for one in state.events._kept if one.number > before]
    assert any(told["sha256"].encode() in text for text in later)
