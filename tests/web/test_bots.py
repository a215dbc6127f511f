"""examples/bot/: a client and a Mastodon bot against a server on the loopback interface."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
from served import listening, png

from workflow.web.state import State

BOTS = Path(__file__).parents[2] / "examples" / "bot"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BOTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def server(project_folder: Path) -> Iterator[tuple[str, State]]:
    with listening(project_folder) as found:
        yield found


def test_the_client_as_a_program(server: tuple[str, State], tmp_path: Path) -> None:
    address, state = server
    (tmp_path / "one.png").write_bytes(png(51))
    environment = os.environ | {"WF_TOKEN": state.inbox.add_token("client", "bot")}
    command = [sys.executable, BOTS / "client.py", address, tmp_path / "one.png"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    probability, label, path = done.stdout.split()
    assert 0 < float(probability) <= 1
    assert label in ("circle", "cross", "empty")
    assert path == str(tmp_path / "one.png")
    environment["WF_TOKEN"] = "nothing"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "this token is unknown or revoked" in done.stderr


class Fake(BaseHTTPRequestHandler):
    """As much of Mastodon as the bot uses."""

    mentions: ClassVar[list[dict[str, Any]]] = []
    replies: ClassVar[list[dict[str, str]]] = []
    pictures: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path in self.pictures:
            self._answer(self.pictures[path], "image/png")
            return
        assert path == "/api/v1/notifications"
        assert self.headers["Authorization"] == "Bearer secret"
        after = int(parse_qs(query).get("min_id", ["0"])[0])
        found = [one for one in self.mentions if int(one["id"]) > after]
        self._answer(json.dumps(found[::-1]).encode(), "application/json")

    def do_POST(self) -> None:
        assert self.path == "/api/v1/statuses"
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.replies.append({name: value for name, (value,) in parse_qs(body).items()})
        self._answer(json.dumps({"id": str(900 + len(self.replies))}).encode(), "application/json")

    def _answer(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mastodon() -> Iterator[str]:
    Fake.mentions, Fake.replies, Fake.pictures = [], [], {"/good.png": png(61), "/bad.png": b"no picture"}
    with ThreadingHTTPServer(("127.0.0.1", 0), Fake) as fake:
        thread = threading.Thread(target=fake.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{fake.server_port}"
        fake.shutdown()
        thread.join()


def mention(number: int, text: str, *pictures: str, to: str | None = None) -> dict[str, Any]:
    status = {
        "id": str(100 + number),
        "url": f"https://mastodon.example/@ann/{number}",
        "content": text,
        "visibility": "unlisted",
        "in_reply_to_id": to,
        "media_attachments": [{"type": "image", "url": one} for one in pictures],
    }
    return {"id": str(number), "account": {"acct": "ann"}, "status": status}


def test_the_mastodon_bot(server: tuple[str, State], mastodon: str, tmp_path: Path) -> None:
    address, state = server
    client, module = load("client"), load("mastodon_bot")
    token = state.inbox.add_token("mastodon", "bot")

    def make() -> Any:
        wf = client.Client(address, token)
        return module.Bot(module.Mastodon(mastodon, "secret"), wf, tmp_path / "state.json")

    Fake.mentions = [
        mention(1, "<p>@bot what is this?</p>", f"{mastodon}/good.png"),
        mention(2, "<p>@bot and this?</p>", f"{mastodon}/bad.png"),
        mention(3, "<p>@bot hello</p>"),
    ]
    assert make().look() == 3
    good, bad = Fake.replies
    assert good["status"].partition(" (")[0] in ("@ann circle", "@ann cross", "@ann empty")
    assert (good["in_reply_to_id"], good["visibility"]) == ("101", "unlisted")
    assert "the picture is text, not an image" in bad["status"]
    Fake.mentions += [
        mention(4, "<p>@bot Wrong: empty</p>", to="901"),
        mention(5, "<p>@bot wrong: a unicorn</p>", to="901"),
        mention(6, "<p>@bot wrong: empty</p>", to="777"),
    ]
    assert make().look() == 3  # it was started again meanwhile, and answers nothing twice
    assert len(Fake.replies) == 4
    sha = json.loads((tmp_path / "state.json").read_text())["answers"]["901"]
    facts = state.inbox.picture(sha)
    assert {(one["class"], one["sender"]) for one in facts["reports"]} == {("empty", "mastodon"), (None, "mastodon")}
    assert any("unicorn" in one["note"] for one in facts["reports"])
