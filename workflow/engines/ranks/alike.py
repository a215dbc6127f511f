"""What must be the same on all hosts: versions, and the data that a net reads."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workflow.errors import EnvironmentFault
from workflow.formats import caffe_pb2
from workflow.formats.lmdb import Reader
from workflow.version import __version__

_SAMPLE = 100  # records of which all bytes are compared; of the others, the keys


def versions() -> dict[str, str]:
    """Name -> version, of all that has a part in the result."""
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = "none"
    return {"wf": __version__, "Python": platform.python_version(), "PyTorch": torch}


def data(net: caffe_pb2.NetParameter, folder: Path) -> dict[str, str]:
    """The databases and means that Data layers read in training -> SHA-256 of their keys and of some records.

    Raises:
        DatabaseError: one cannot be read.
    """
    test = caffe_pb2.TEST
    layers = [one for one in net.layer if one.type == "Data" and not any(rule.phase == test for rule in one.include)]
    found = {one.data_param.source: _records(folder / one.data_param.source) for one in layers}
    for mean in {one.transform_param.mean_file for one in layers} - {""}:
        found[mean] = hashlib.sha256((folder / mean).read_bytes()).hexdigest()
    return found


def _records(database: Path) -> str:
    digest = hashlib.sha256()
    with Reader(database) as reader:
        for key in reader.keys:
            digest.update(key)
        step = max(1, len(reader) // _SAMPLE)
        for position in range(0, len(reader), step):
            digest.update(reader.read(position)[1])
    return digest.hexdigest()


def check_versions(here: str, ours: Mapping[str, str], there: str, theirs: Mapping[str, str]) -> None:
    """Compare the `versions` of two hosts, whose names are `here` and `there`.

    Raises:
        EnvironmentFault: T24, they differ; both are named.
    """
    for name, mine in ours.items():
        other = theirs.get(name, "none")
        if mine != other:
            raise EnvironmentFault(
                f"{here} has {name} {mine}, {there} has {name} {other}",
                hint="install the same versions on all hosts",
                fault="T24",
            )


def check_data(here: str, ours: Mapping[str, str], there: str, theirs: Mapping[str, str]) -> None:
    """Compare the `data` of two hosts, whose names are `here` and `there`.

    Raises:
        EnvironmentFault: T24, a file differs.
    """
    for name, mine in ours.items():
        if theirs.get(name) != mine:
            raise EnvironmentFault(
                f"{name} differs between {here} and {there}",
                hint="copy the generation's folder from one host to the other, or share the project folder",
                fault="T24",
            )
