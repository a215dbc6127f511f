"""`wf` answers at once: what is not needed for an answer is not imported."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from running import Run

HEAVY = (
    "numpy",
    "torch",
    "pydantic",
    "PIL",
    "matplotlib",
    "yaml",
    "lmdb",
    "google.protobuf",
    "h5py",
    "rich",
    "fastapi",
)


@pytest.mark.parametrize("module", ["workflow.cli", "workflow.cli.app"])
def test_importing_the_command_line_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_take_little_more_than_python_itself(flag: str) -> None:
    """Of processor time: other processes may be busy. 400 ms where Python takes 10."""

    def seconds(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    python = min(seconds("-c", "pass") for _ in range(3))
    assert min(seconds("-m", "workflow", flag) for _ in range(3)) < 40 * python


def test_version_needs_no_click() -> None:
    code = (
        "import sys; sys.argv = ['wf', '--version']; import workflow.cli as w; w.main(); print('click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[::2] == ["wf", "False"]


def test_a_command_imports_no_other() -> None:
    code = "import sys; sys.argv = ['wf', 'twin', '--help']; import workflow.cli as w; w.main()"
    listed = (
        "import atexit, sys; atexit.register(lambda: print(*(one for one in sys.modules if 'workflow.cli.' in one)))"
    )
    done = subprocess.run([sys.executable, "-c", f"{listed}; {code}"], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "workflow.cli.twin" in imported
    assert not imported & {"workflow.cli.train", "workflow.cli.net", "workflow.cli.report"}


# Less those that the interpreter itself has at its start: an installation may add some.
NAMES_OF_MODULES = "import atexit, sys; own = {*sys.modules}; atexit.register(lambda: print(*{*sys.modules} - own))"
ANY_PICTURE = "images/test/circle/1.png"


@pytest.mark.parametrize(
    ("command", "most", "absent"),
    [
        ("--help", 150, {"numpy", "msgspec", "decimal"}),
        ("engines", 165, {"numpy", "torch", "matplotlib", "google.protobuf"}),
        ("log", 410, {"torch", "matplotlib", "PIL", "scipy", "lmdb", "socket", "statistics", "numpy.ma"}),
        ("diff gen1 gen2", 455, {"torch", "matplotlib", "scipy", "lmdb", "socket", "statistics", "numpy.ma"}),
        (f"inspect {ANY_PICTURE}", 450, {"torch", "matplotlib", "scipy", "statistics", "numpy.ma"}),
        (f"predict {ANY_PICTURE}", 472, {"torch", "matplotlib", "scipy", "lmdb", "statistics", "numpy.ma"}),
    ],
)
def test_so_many_modules_are_imported(three: Run, command: str, most: int, absent: set[str]) -> None:
    """By a command whose answers are known, where it keeps answers."""
    if command.split()[0] in ("engines", "log", "diff"):
        three(*command.split())
    code = f"{NAMES_OF_MODULES}; sys.argv = ['wf', *{command.split()!r}]; import workflow.cli as w; w.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert not imported & absent
    assert len(imported) <= most


def test_a_closed_pipe_ends_quietly() -> None:  # T17
    """As with `wf predict images/ | head`: the reader goes before everything is written."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run([sys.executable, "-m", "workflow", "--help"], stdout=closed, stderr=subprocess.PIPE)
    assert done.returncode in {1, 141}
    assert done.stderr == b""
