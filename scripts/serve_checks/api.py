"""Schemathesis against the whole API: every phase, many examples of each operation, no failure.

    scripts/serve_check api [--examples 500] [--seed N] [more options of schemathesis run]

It runs against a small project of its own. Jobs are real, but none trains. Left out is the endless stream of events.
Needs `pip install schemathesis`.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SETTINGS = """
# Busy is an answer, and what contradicts the state of things is no fault of the data.
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "404", "409", "422", "503"]
"""


def make_project(folder: Path) -> None:
    """A small project with one generation and two snapshots; training it fails at once."""
    os.chdir(folder)
    sys.path.insert(0, str(ROOT / "tests"))
    from one_generation import make_one

    make_one(folder)
    (folder / "configs").mkdir()
    (folder / "configs" / "default.yaml").write_text("train: {solver: prototxt/none.prototxt}\n")


@contextmanager
def serving(project: Path) -> Iterator[str]:
    """The address of a server on the project."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "workflow", "serve", "--port", str(port)]
    with (project / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=project, stderr=log)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        print((project / "server.log").read_text()[-2000:])


def main() -> int:
    """Serve, and let schemathesis loose."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=500)
    arguments, more = parser.parse_known_args()
    if find_spec("schemathesis") is None:
        print("schemathesis is not installed: .venv/bin/pip install schemathesis", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="wf-api-") as name:
        folder = Path(name)
        make_project(folder)
        (folder / "schemathesis.toml").write_text(SETTINGS)
        with serving(folder) as address:
            command = [sys.executable, "-m", "schemathesis.cli", "--config-file", folder / "schemathesis.toml"]
            command += ["run", f"{address}/api/openapi.json"]
            command += ["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]
            command += ["--max-examples", str(arguments.examples), "--exclude-path", "/api/events"]
            environment = os.environ | {"SCHEMATHESIS_HOOKS": "_schemathesis_hooks", "PYTHONPATH": str(HERE)}
            done = subprocess.run([*map(str, command), *more], env=environment, cwd=folder, check=False)
        os.chdir("/")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
