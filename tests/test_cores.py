"""How many cores there are: affinity, a container's quota, and what the user asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow import cores


def v2(root: Path, path: str, limit: str) -> Path:
    folder = root / path.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.max").write_text(limit + "\n")
    own = root / "own"
    own.write_text(f"0::{path}\n")
    return own


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("max 100000", 1_000_000),
        ("rubbish", 1_000_000),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, limit: str, expected: int) -> None:
    assert cores.quota(tmp_path, v2(tmp_path, "/", limit)) == expected


def test_a_group_around_it_counts_too(tmp_path: Path) -> None:
    v2(tmp_path, "/outer", "300000 100000")
    own = v2(tmp_path, "/outer/inner", "max 100000")
    assert cores.quota(tmp_path, own) == 3


def test_the_first_version_of_control_groups(tmp_path: Path) -> None:
    folder = tmp_path / "cpu" / "box"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("250000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "own").write_text("4:cpu,cpuacct:/box\n3:memory:/box\n")
    assert cores.quota(tmp_path, tmp_path / "own") == 3
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    assert cores.quota(tmp_path, tmp_path / "own") == 1_000_000


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert cores.quota(tmp_path / "none", tmp_path / "nothing") == 1_000_000


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux pins processes")
def test_affinity_counts() -> None:
    code = "import os; from workflow import cores; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    done = subprocess.run([sys.executable, "-c", code + "print(cores.available())"], capture_output=True, text=True)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("3,2", 3), ("0", None), ("many", None), ("", None)])
def test_omp_num_threads_is_obeyed(monkeypatch: pytest.MonkeyPatch, value: str, expected: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert cores.threads() == (expected or cores.available())


def test_threads_are_spared_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    assert cores.sparing() == {"OPENBLAS_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"}
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert cores.sparing() == {}


def test_nothing_else_counts_cores() -> None:
    root = Path(cores.__file__).parent
    others = [
        path for path in root.rglob("*.py") if "cpu_count" in path.read_text() or "getaffinity" in path.read_text()
    ]
    assert others == [Path(cores.__file__)]
