"""The shell scripts: that they parse, are executable, and that scripts/install has nothing to do twice."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL = [
    path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and path.read_bytes()[:9] == b"#!/bin/sh"
]


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_it_parses_and_stops_at_errors(path: Path) -> None:
    subprocess.run(["sh", "-n", path], check=True)
    assert os.access(path, os.X_OK)
    head = path.read_text().splitlines()[:4]
    assert any("sh -e" in line or line.startswith("set -e") for line in head)


def test_ci_runs_install_caffe_and_then_the_tests() -> None:
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    lines = path.read_text().splitlines()
    assert lines.index("scripts/install_caffe") < lines.index("scripts/test")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with scripts/install and a pyproject.toml, whose pip only says what it was asked."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "install", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "scripts/install"], cwd=folder, capture_output=True, text=True, check=False)


def test_what_is_installed_already_is_left(checkout: Path) -> None:
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "wf"):
        (programs / name).write_text('#!/bin/sh\necho "$@" >> asked\n')
        (programs / name).chmod(0o755)
    first = install(checkout)
    assert first.returncode == 0, first.stderr
    assert "-m pip install" in (checkout / "asked").read_text()
    asked = (checkout / "asked").read_bytes()
    again = install(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (checkout / "asked").read_bytes() == asked
    (checkout / "pyproject.toml").write_text('[project]\nname = "wf"\n')
    install(checkout)
    assert (checkout / "asked").read_bytes() != asked  # other dependencies: installed anew


def test_an_old_python_is_refused(checkout: Path) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("cmp", "cp", "dirname", "sh", "uname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [tools / "sh", "scripts/install"],
        cwd=checkout,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "wf needs Python 3.11 or later" in done.stderr
    assert not (checkout / ".venv").exists()
