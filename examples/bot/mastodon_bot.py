"""A bot on Mastodon: it answers pictures that mention it, and passes on what people say of its answers.

    WF_SERVER=http://127.0.0.1:8000 WF_TOKEN=wf_… \
    MASTODON_SERVER=https://mastodon.example MASTODON_TOKEN=… python examples/bot/mastodon_bot.py [STATE.json]

Somebody posts a picture with `@bot`; the bot replies `fox (97%)`. A reply `@bot wrong: dog` is reported to wf, where
the owner finds the picture first in the queue. The bot downloads the pictures itself: wf never fetches an address.
The token needs the scopes read:notifications and write:statuses.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from client import Client

LARGEST = 20 * 2**20
PAUSE = 15  # seconds between two looks


class Mastodon:
    """The few calls of Mastodon's API that a bot needs."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._token = address.rstrip("/"), token

    def mentions(self, after: str | None) -> list[dict]:
        """Posts that mention the bot, oldest first."""
        query = [("types[]", "mention"), ("limit", "30")] + ([("min_id", after)] if after else [])
        return sorted(self._call("GET", f"/api/v1/notifications?{urlencode(query)}"), key=lambda one: int(one["id"]))

    def reply(self, status: dict, text: str) -> dict:
        """Answer a post, as visibly as it was posted."""
        body = {"status": text, "in_reply_to_id": status["id"], "visibility": status["visibility"]}
        return self._call("POST", "/api/v1/statuses", urlencode(body).encode(), key=f"wf-{status['id']}")

    def _call(self, method: str, path: str, body: bytes | None = None, key: str | None = None) -> list | dict:
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Idempotency-Key": key} if key else {})
        request = urllib.request.Request(self._address + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Bot:
    """Remembers, in a file, what it has seen and which pictures its answers are about."""

    def __init__(self, mastodon: Mastodon, wf: Client, state: Path) -> None:
        self._mastodon, self._wf, self._file = mastodon, wf, state
        known = json.loads(state.read_text()) if state.exists() else {}
        self._last, self._answers = known.get("last"), known.get("answers", {})

    def look(self) -> int:
        """Answer what is new; how much that was."""
        news = self._mastodon.mentions(self._last)
        for one in news:
            status = one["status"]
            text = self._reported(status) or self._judged(status)
            if text is not None:
                posted = self._mastodon.reply(status, f"@{one['account']['acct']} {text}")
                if "sha" in status:
                    self._answers[posted["id"]] = status["sha"]
            self._last = one["id"]
            self._save()
        return len(news)

    def _judged(self, status: dict) -> str | None:
        """The answers about the pictures of a post; None if it has none."""
        lines = []
        for one in status["media_attachments"]:
            if one["type"] == "image":
                try:
                    picture = _download(one["url"])
                except (ValueError, OSError) as error:
                    lines.append(f"I cannot fetch this picture: {error}")
                    continue
                try:
                    found = self._wf.judge(picture, ref=status.get("url"))
                except ValueError as error:
                    lines.append(f"I cannot read this picture: {error}")
                    continue
                status["sha"] = found["sha256"]
                lines.append(f"{found['label']} ({found['probability']:.0%})")
        return "\n".join(lines) or None

    def _reported(self, status: dict) -> str | None:
        """Thanks for a correction of an answer of the bot's; None if the post is none."""
        words = re.sub(r"<[^>]*>", " ", html.unescape(status["content"]))
        said = re.search(r"wrong(?:\s*:\s*([\w -]+))?", words, re.IGNORECASE)
        sha256 = self._answers.get(status.get("in_reply_to_id"))
        if said is None or sha256 is None:
            return None
        name = (said[1] or "").strip() or None
        try:
            self._wf.report(sha256, name, note=words.strip()[:500])
        except ValueError:  # no class of that name: the owner reads the note
            self._wf.report(sha256, None, note=words.strip()[:500])
        return "Thank you, somebody will look at it."

    def _save(self) -> None:
        temporary = self._file.with_suffix(".tmp")
        kept = dict(list(self._answers.items())[-1000:])
        temporary.write_text(json.dumps({"last": self._last, "answers": kept}))
        temporary.replace(self._file)


def _download(address: str) -> bytes:
    """A picture, if it is small enough.

    Raises:
        ValueError: it is not.
    """
    if not address.startswith(("https://", "http://")):
        raise ValueError("it has no web address")
    with urllib.request.urlopen(address, timeout=60) as answer:
        data = answer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("it is larger than 20 MiB")
    return data


if __name__ == "__main__":
    server = Mastodon(os.environ["MASTODON_SERVER"], os.environ["MASTODON_TOKEN"])
    judge = Client(os.environ.get("WF_SERVER", "http://127.0.0.1:8000"), os.environ.get("WF_TOKEN"))
    bot = Bot(server, judge, Path(sys.argv[1] if len(sys.argv) > 1 else "mastodon-bot.json"))
    while True:
        try:
            bot.look()
        except (urllib.error.URLError, TimeoutError) as error:
            print(f"a server does not answer, trying again: {error}", file=sys.stderr)
        time.sleep(PAUSE)
