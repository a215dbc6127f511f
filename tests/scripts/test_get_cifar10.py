"""scripts/get_cifar10, on small archives and a server of our own."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "get_cifar10"
CLASSES = ("airplane", "truck")
RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)  # (N, C, H, W), as the batches have it
LABELS = (1, 0, 1, 1)


def get(*arguments: str | Path, folder: Path, code: int = 0) -> str:
    """Run the script; returns its stderr."""
    command = [sys.executable, "-W", "error", str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def batch(start: int, end: int) -> bytes:
    return b"".join(bytes([LABELS[index]]) + PIXELS[index].tobytes() for index in range(start, end))


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """An archive laid out like cifar-10-binary.tar.gz."""
    inside = {
        "data_batch_1.bin": batch(0, 2),
        "data_batch_2.bin": batch(2, 3),
        "test_batch.bin": batch(3, 4),
        "batches.meta.txt": "\n".join(CLASSES).encode() + b"\n\n",
        "readme.html": b"<html>",
    }
    return pack(tmp_path / "cifar.tar.gz", {f"cifar-10-batches-bin/{name}": data for name, data in inside.items()})


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a server of this test gives out the files of its folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def check_folders(folder: Path) -> None:
    expected = {
        "train/truck/data_batch_1_00000.png": 0,
        "train/airplane/data_batch_1_00001.png": 1,
        "train/truck/data_batch_2_00000.png": 2,
        "test/truck/test_batch_00000.png": 3,
    }
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")} == set(expected)
    for name, index in expected.items():
        with Image.open(folder / name) as picture:
            assert picture.mode == "RGB"
            assert (np.asarray(picture) == PIXELS[index].transpose(1, 2, 0)).all()


def test_the_binary_version(binary: Path, tmp_path: Path) -> None:
    said = get(binary, folder=tmp_path)
    assert "next: wf prepare cifar10" in said
    check_folders(tmp_path / "cifar10")
    assert "already exists" in get(binary, folder=tmp_path)


def test_a_download_is_held_against_its_sum(binary: Path, address: str, tmp_path: Path) -> None:
    url = f"{address}/{binary.name}"
    get("--url", url, "--md5", hashlib.md5(binary.read_bytes()).hexdigest(), "--out", "data/here", folder=tmp_path)
    check_folders(tmp_path / "data" / "here")
    said = get("--url", url, "--out", "other", folder=tmp_path, code=1)
    assert "md5 sum" in said
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob("*.tmp-*"))


def test_an_archive_of_labelled_folders(tmp_path: Path) -> None:
    archive = pack(tmp_path / "jpg.tar.gz", {"some/train/cat/1.jpg": b"one", "some/test/cat/2.jpg": b"two"})
    get(archive, folder=tmp_path)
    assert (tmp_path / "cifar10" / "train" / "cat" / "1.jpg").read_bytes() == b"one"
    assert (tmp_path / "cifar10" / "test" / "cat" / "2.jpg").read_bytes() == b"two"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a/b.txt": b""}, "holds neither"),
        ({"../../outside": b"x"}, "outside"),
        ({"test_batch.bin": b"x" * 100, "batches.meta.txt": b"a\nb\n"}, "expected a multiple of 3073"),
    ],
)
def test_other_archives_are_refused(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    said = get(pack(tmp_path / "odd.tar.gz", files), folder=tmp_path / "deep" / "er", code=1)
    assert words in said
    assert "Traceback" not in said
    assert list((tmp_path / "deep" / "er").iterdir()) == []


def test_no_archive_at_all(tmp_path: Path) -> None:
    assert "error: " in get("none.tar.gz", folder=tmp_path, code=1)
