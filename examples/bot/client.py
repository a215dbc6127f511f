"""A client of `wf serve` that needs nothing but Python.

    WF_TOKEN=wf_… python examples/bot/client.py http://127.0.0.1:8000 one.jpg two.png

Make the token with `wf inbox tokens add NAME`. On the machine of the server none is needed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode


class Client:
    """Judges pictures and reports what they are; busy servers are asked again."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def judge(self, picture: bytes, ref: str | None = None) -> dict:
        """The answer: sha256, label, probability, probabilities …; `ref` is your own name for the picture."""
        query = f"?{urlencode({'ref': ref})}" if ref else ""
        return self._post(f"/api/judge{query}", picture, "application/octet-stream")

    def report(self, sha256: str, class_name: str | None, note: str | None = None) -> dict:
        """Say what a picture is; None is: none of the classes."""
        body = json.dumps({"class": class_name, "note": note}).encode()
        return self._post(f"/api/pictures/{sha256}/report", body, "application/json")

    def _post(self, path: str, body: bytes, kind: str, attempts: int = 5) -> dict:
        request = urllib.request.Request(self._address + path, body, self._headers | {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code in (429, 503) and attempts > 1:
                time.sleep(float(error.headers.get("Retry-After", 1)))
                return self._post(path, body, kind, attempts - 1)
            raise ValueError(json.load(error)["error"]["message"]) from error


if __name__ == "__main__":
    client = Client(sys.argv[1], os.environ.get("WF_TOKEN"))
    for name in sys.argv[2:]:
        found = client.judge(Path(name).read_bytes(), ref=name)
        print(f"{found['probability']:.3f}  {found['label']}  {name}")
