"""A preparation that is killed leaves the old state or the new one, never a mixture, and the next one goes on.

WF_KILLS=50 sets the number of random moments.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workflow.config import Config, rooted
from workflow.data.prepare import prepare
from workflow.generations import existing

KILLS = int(os.environ.get("WF_KILLS", "3"))
SCRIPT = """
import signal
import sys
from pathlib import Path
from workflow.config import Config, Prepare, Preprocessing, rooted
from workflow.data.prepare import prepare

config = Config(
    generations=Path("generations"), preprocessing=Preprocessing(width=5, height=7), prepare=Prepare(workers=2)
)
print("ready", flush=True)

def wait(done, total):
    if done > 0:
        print("decoding", flush=True)
        signal.pause()

prepare(config, [Path(sys.argv[1])], 1, force=True, progress=wait if len(sys.argv) > 2 else None)
"""


def start(folder: Path, images: str, *, held: bool = False) -> subprocess.Popen[bytes]:
    """A preparation that begins; where it is `held`, one that has decoded some pictures and waits for a signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, images, *["held"] * held],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process.stdout as stdout:
        assert stdout.readline() == b"ready\n"
        assert not held or stdout.readline() == b"decoding\n"
    return process


def whole(folder: Path) -> int:
    """How many pictures generation 1 has; every file must be the one that its record speaks of."""
    one = existing(rooted(Config(), folder), 1)
    record = one.read()
    for name, expected in record.hashes.items():
        assert hashlib.sha256((one.dataset / name).read_bytes()).hexdigest() == expected
    return sum(sum(counts.values()) for counts in record.counts.values())


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_p34_sigkill_at_random_moments(tmp_path, labelled):
    labelled(tmp_path / "old", cat=30, dog=30)
    labelled(tmp_path / "new", cat=90, dog=80)
    process = start(tmp_path, "new")
    began = time.monotonic()
    assert process.wait(timeout=60) == 0
    duration = time.monotonic() - began
    moments = random.Random(1)  # the moments that it gives differ in what they hit from run to run anyway
    seen = set()
    for number in range(KILLS):
        images, count = (("old", 60), ("new", 170))[number % 2]
        before = whole(tmp_path)
        process = start(tmp_path, images)
        time.sleep(moments.uniform(0, 1.1 * duration))
        workers = children(process) if process.poll() is None else []
        process.kill()
        process.wait()
        after = whole(tmp_path)
        assert after in (before, count)
        seen.add(after != before)
        deadline = time.monotonic() + 60
        while not all(map(gone, workers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert all(map(gone, workers)), "decoding processes outlive their parent"
    process = start(tmp_path, "old")
    assert process.wait(timeout=60) == 0
    assert whole(tmp_path) == 60
    left = sorted(path.name for path in (tmp_path / "generations").iterdir() if not path.name.startswith("."))
    assert left == ["gen1"]


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(tmp_path, labelled, signal_):
    labelled(tmp_path / "old", cat=30, dog=30)
    labelled(tmp_path / "new", cat=300, dog=300)
    assert start(tmp_path, "old").wait(timeout=60) == 0
    process = start(tmp_path, "new", held=True)
    os.killpg(process.pid, signal_)  # as a terminal does it
    assert process.wait(timeout=60) != 0
    assert whole(tmp_path) == 60
    if signal_ == signal.SIGINT:
        names = sorted(path.name for path in (tmp_path / "generations").iterdir() if not path.name.startswith("."))
        assert names == ["gen1"]


def test_the_next_generation_after_a_kill(tmp_path, labelled, settings):
    labelled(tmp_path / "images", cat=90, dog=80)
    process = start(tmp_path, "images", held=True)
    process.kill()
    process.wait()
    result = prepare(settings())
    assert result.train + result.test == 170
