from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workflow.machine import machine
from workflow.storage import atomic_write, create, leftovers, replacing, take_away, temporary_name, write_document


def test_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "file"
    atomic_write(path, b"old")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_document_makes_its_folder_and_holds_paths_as_text(tmp_path):
    path = tmp_path / "new" / "facts.json"
    write_document(path, {"picture": path, "rate": 0.25, "sheets": [path.parent]})
    assert json.loads(path.read_text()) == {"picture": str(path), "rate": 0.25, "sheets": [str(path.parent)]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_document(path, {"rate": float("nan")})
    assert json.loads(path.read_text())["rate"] == 0.25


def test_an_exception_keeps_the_old_and_leaves_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail_in_the_middle():
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_old(tmp_path):
    """A limit on the file size stands for a full disk: the write fails in the middle."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from workflow.storage import atomic_write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: atomic_write(Path(sys.argv[1]), b'x' * 5000)\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    path = tmp_path / "file"
    path.write_bytes(b"old")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "OSError\n"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_are_those_of_dead_processes(tmp_path):
    dead = tmp_path / f"gen5.tmp-{machine()}-999999999"
    dead.mkdir()
    alive = temporary_name(tmp_path / "gen6")
    alive.mkdir()
    (tmp_path / "gen7.tmp-mine").mkdir()
    (tmp_path / "gen4").mkdir()
    assert leftovers(tmp_path) == [dead]
    assert leftovers(tmp_path / "nowhere") == []


@pytest.mark.parametrize("pid", [os.getpid(), 999_999_999], ids=["alive", "dead"])
def test_what_another_machine_writes_is_left_over_after_a_day(tmp_path, pid):
    """Whether its process lives cannot be seen from here, whatever the number means here."""
    path = tmp_path / f"file.jpg.tmp-{machine()[:-8]}0123abcd-{pid}"
    path.touch()
    assert leftovers(tmp_path) == []
    assert leftovers(tmp_path, alone=True) == [path]
    yesterday = time.time() - 25 * 60 * 60
    os.utime(path, (yesterday, yesterday))
    assert leftovers(tmp_path) == [path]


def test_what_is_taken_away_may_be_a_file_a_full_folder_or_a_link(tmp_path):
    kept, folder, link = (tmp_path / name for name in ("kept", "folder.tmp-1", "link.tmp-1"))
    for one in (kept, folder):
        one.mkdir()
        (one / "content").write_bytes(b"x")
    link.symlink_to(kept)
    (tmp_path / "file.tmp-1").write_bytes(b"x")
    for path in (folder, link, tmp_path / "file.tmp-1"):
        take_away(path)
    assert list(tmp_path.rglob("*")) == [kept, kept / "content"]


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_takes_a_free_name_only(tmp_path, monkeypatch, links):
    """With hard links, and on file systems that have none."""
    if not links:

        def refuse(self: Path, target: Path) -> None:
            raise PermissionError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "001"
    create(path, b"first")
    with pytest.raises(FileExistsError):
        create(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
