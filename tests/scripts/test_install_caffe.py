from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from caffe_process import CAFFE_PYTHON

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_caffe"

BROKEN = """#!/bin/sh
echo "pyenv: python3.9: command not found" >&2
exit 127
"""
# Stands for a Python 3.9: `-c` is the question whether it runs (and later whether Caffe does), `-m venv` and `-m pip`
# are written down, so that no test needs the network.
WORKING = """#!/bin/sh
echo "$0 $*" >>"$CALLS"
case $2 in
    venv) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
    pip) exit "${PIP_STATUS:-0}" ;;
    *) case "$*" in *import\\ caffe*) echo "Caffe 1.0.0"; exit "${CAFFE_STATUS:-0}" ;; esac ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A home with nothing in it; `run(*arguments, **environment)` runs the script there."""

    class Machine:
        home = tmp_path
        calls = tmp_path / "calls"
        dest = tmp_path / "made here" / ".caffe"

        def program(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
            return path

        def run(self, *arguments, **environment):
            settings = {
                "PATH": f"{tmp_path}/bin:/usr/bin:/bin",
                "HOME": str(tmp_path),
                "CALLS": str(self.calls),
            } | environment
            command = ["sh", str(SCRIPT), *(arguments or ("--dest", str(self.dest)))]
            return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)

        def asked(self):
            return self.calls.read_text().splitlines() if self.calls.exists() else []

    (tmp_path / "bin").mkdir()
    return Machine()


def shadow(machine):
    """A python3.9 that does not run, before any that the machine running the tests may have."""
    machine.program("bin/python3.9", BROKEN)
    machine.program("bin/uv", "#!/bin/sh\nexit 2\n")


def test_no_python_at_all(machine):
    shadow(machine)
    done = machine.run()
    assert done.returncode == 6
    assert "error: no Python 3.9 that runs" in done.stderr
    assert "uv python install 3.9, or pyenv install 3.9" in done.stderr
    assert not machine.dest.exists()


def test_pyenvs_behind_a_broken_shim(machine):
    shadow(machine)
    found = machine.program(".pyenv/versions/3.9.18/bin/python", WORKING)
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert f"making {machine.dest} with {found}" in done.stdout
    assert "Caffe 1.0.0 works" in done.stdout
    (pip,) = [line for line in machine.asked() if " -m pip install " in line]
    for requirement in ("kendryte-caffe==1.0.0.20210829", "numpy<1.24", "protobuf<3.21", "scikit-image", "PyYAML"):
        assert f" {requirement}" in pip


def test_the_one_that_is_named_comes_first(machine):
    machine.program("bin/python3.9", WORKING)
    named = machine.program("mine/python", WORKING)
    assert f"with {named}" in machine.run(PYTHON39=str(named)).stdout


def test_a_named_one_that_does_not_run_is_passed_over(machine):
    machine.program("bin/python3.9", WORKING)
    broken = machine.program("mine/python", BROKEN)
    assert "with python3.9" in machine.run(PYTHON39=str(broken)).stdout


def test_uvs_comes_last(machine):
    shadow(machine)
    theirs = machine.program("uvs own/python3.9", WORKING)
    machine.program("bin/uv", f'#!/bin/sh\n[ "$*" = "python find 3.9" ] && echo "{theirs}"\n')
    assert f"with {theirs}" in machine.run().stdout


def test_twice_makes_it_once(machine):
    machine.program("bin/python3.9", WORKING)
    machine.run()
    before = len([line for line in machine.asked() if "-m venv" in line])
    again = machine.run()
    assert again.returncode == 0
    assert again.stdout == f"Caffe 1.0.0 works in {machine.dest}\n"
    assert len([line for line in machine.asked() if "-m venv" in line]) == before == 1


def test_a_broken_one_of_ours_is_made_anew(machine):
    machine.program("bin/python3.9", WORKING)
    machine.run()
    machine.program("made here/.caffe/bin/python", BROKEN)
    assert "works in" in machine.run().stdout
    assert len([line for line in machine.asked() if "-m venv" in line]) == 2


def test_what_is_not_ours_is_left_alone(machine):
    machine.program("bin/python3.9", WORKING)
    machine.program("made here/.caffe/bin/python", BROKEN)
    (machine.dest / "pyvenv.cfg").write_text("home = /usr/bin\n")
    done = machine.run()
    assert done.returncode == 6
    assert "it is left alone" in done.stderr
    assert (machine.dest / "pyvenv.cfg").exists()
    file = machine.program("a file", "x")
    assert machine.run("--dest", str(file)).returncode == 6
    assert file.read_text() == "x"


@pytest.mark.parametrize("failing", ["PIP_STATUS", "CAFFE_STATUS"])
def test_a_failure_leaves_nothing(machine, failing):
    machine.program("bin/python3.9", WORKING)
    done = machine.run(**{failing: "1"})
    assert done.returncode == 6
    assert "error: " in done.stderr
    assert not machine.dest.exists()


@pytest.mark.parametrize("arguments", [("--dest",), ("--dest", ""), ("--what",), ("x",)])
def test_usage(machine, arguments):
    done = machine.run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: scripts/install_caffe")


def test_help(machine):
    assert machine.run("--help").stdout.startswith("usage: scripts/install_caffe")


def test_it_can_be_executed():
    assert os.access(SCRIPT, os.X_OK)


@pytest.mark.caffe
def test_a_real_one_is_recognised(machine):
    shadow(machine)
    machine.program("made here/.caffe/bin/python", f'#!/bin/sh\nexec {CAFFE_PYTHON} "$@"\n')
    done = machine.run()
    assert (done.returncode, done.stdout) == (0, f"Caffe 1.0.0 works in {machine.dest}\n")
