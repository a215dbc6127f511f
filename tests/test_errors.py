from __future__ import annotations

import errno
import inspect
from pathlib import Path

import pytest

from workflow import errors
from workflow.errors import EnvironmentFault, Location, NetError, UsageError, WorkflowError, did_you_mean, system_errors

TREE = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, WorkflowError)]


def test_the_drawing_at_the_top_is_the_tree():
    drawing = inspect.getdoc(errors)
    for one in TREE:
        assert one.__name__ in drawing
        assert one.__doc__


@pytest.mark.parametrize("one", TREE)
def test_exit_codes_are_those_of_the_design(one):
    codes = {
        "FindingError": 1, "UsageError": 2, "DataError": 3, "DivergedError": 4, "BusyError": 5, "EnvironmentFault": 6,
    }  # fmt: skip
    expected = next((codes[base.__name__] for base in one.__mro__ if base.__name__ in codes), 70)
    assert one.exit_code == expected


def test_what_is_shown():
    error = NetError("layer 'a' is wrong", at=Location(path="net.prototxt", line=3, column=7), hint="mend it")
    assert str(error) == "layer 'a' is wrong\n --> net.prototxt:3:7\nhint: mend it"
    assert str(NetError("net.prototxt is empty", at=Path("net.prototxt"))) == "net.prototxt is empty"


def test_did_you_mean():
    assert did_you_mean("conv", ["conv1", "pool"]) == "did you mean 'conv1'?"
    assert did_you_mean("zzz", ["conv1", "pool"]) == "known: conv1, pool"
    assert did_you_mean("zzz", []) is None


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "gen1"), EnvironmentFault, "gen1: permission denied"),
        (FileExistsError(errno.EEXIST, "File exists", "a/b"), UsageError, "cannot write a/b: file exists"),
        (MemoryError(), EnvironmentFault, "not enough memory"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), FileNotFoundError, "No such file"),
    ],
)
def test_what_the_system_refuses_is_an_error_of_the_tree(error, kind, words):
    @system_errors()
    def refused() -> None:
        raise error

    with pytest.raises(kind, match=words):
        refused()
