"""Find the databases, mean, labels, nets, solver and snapshots in a folder, by name and content."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from workflow.errors import DataError, PrototxtError, UsageError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net
from workflow.formats.upgrade import upgrade_net
from workflow.formats.upgrade_error import UpgradeError
from workflow.net.sources import state_with_pictures

_log = logging.getLogger("workflow")
_DEPTH = 6
_LABELS = re.compile(r"(labels?|synset_?words|classes)\.txt|labels_.*\.txt|.*_labels\.txt", re.IGNORECASE)
_SNAPSHOT = re.compile(r"(?P<prefix>.+)_iter_(?P<iteration>\d+)(\.caffemodel)?(?P<hdf5>\.h5)?")
_TRAIN, _TEST = re.compile("train", re.IGNORECASE), re.compile("val|test", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Weights, and the solver's state beside them if it is there."""

    iteration: int
    model: Path
    state: Path | None


@dataclass(kw_only=True)
class Found:
    """The files found, by purpose."""

    databases: list[Path] = field(default_factory=list)
    means: list[Path] = field(default_factory=list)
    labels: list[Path] = field(default_factory=list)
    training_nets: list[Path] = field(default_factory=list)
    deploy_nets: list[Path] = field(default_factory=list)
    solvers: list[Path] = field(default_factory=list)
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict)
    """Prefix of the names -> snapshots with that prefix, by iteration."""


def find(paths: Sequence[Path]) -> Found:
    """Look through files and folders, and what is below these; hidden ones are left out, pickles are not opened.

    Raises:
        UsageError: a path does not exist.
        DataError: a database is a LevelDB.
    """
    found = Found()
    for path in paths:
        if not path.exists():
            raise UsageError(f"no such file or folder: {path}", fault="P01")
        for here in _folders(path) if path.is_dir() else ():
            if (here / "data.mdb").is_file():
                found.databases.append(here)
            elif (here / "CURRENT").is_file() and list(here.glob("MANIFEST-*")):
                raise DataError(
                    f"{here} is a LevelDB, which wf does not read",
                    hint="make an LMDB of the same list: convert_imageset -backend lmdb",
                )
            else:
                for file in sorted(one for one in here.iterdir() if one.is_file()):
                    _sort(file, found)
        if path.is_file():
            _sort(path, found)
    return found


def _folders(top: Path) -> Iterator[Path]:
    for here, folders, _ in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if len(Path(here).relative_to(top).parts) >= _DEPTH:
            folders.clear()
        yield Path(here)


def _sort(file: Path, found: Found) -> None:
    if file.suffix == ".binaryproto" or (file.suffix in (".npy", ".npz") and "mean" in file.stem.lower()):
        found.means.append(file)
    elif _LABELS.fullmatch(file.name):
        found.labels.append(file)
    elif file.name.endswith((".prototxt", ".prototxt.txt")):
        _sort_text(file, found)
    elif match := _SNAPSHOT.fullmatch(file.name):
        ending = f".solverstate{match['hdf5'] or ''}"
        state = file.with_name(f"{match['prefix']}_iter_{match['iteration']}{ending}")
        one = Snapshot(iteration=int(match["iteration"]), model=file, state=state if state.is_file() else None)
        family = found.snapshots.setdefault(str(file.with_name(match["prefix"])), [])
        family.append(one)
        family.sort(key=lambda snapshot: snapshot.iteration)


def _sort_text(file: Path, found: Found) -> None:
    """A solver, a training net or a deploy net; what parses as none of them is ignored."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return
    try:
        solver = parse(text, caffe_pb2.SolverParameter, source=file)
    except PrototxtError:
        pass
    else:
        if solver.ListFields():
            found.solvers.append(file)
        return
    try:
        net, _ = upgrade_net(parse(text, caffe_pb2.NetParameter, source=file))
    except (PrototxtError, UpgradeError) as error:
        _log.warning("%s is ignored: %s", file, error.message)
        return
    if state_with_pictures(net) is not None:
        found.training_nets.append(file)
    elif any(layer.type == "Input" for layer in net.layer):
        found.deploy_nets.append(file)


def databases(found: Found, net: caffe_pb2.NetParameter | None) -> tuple[Path, Path]:
    """The database to train on and the one to test with.

    By their names; of several, those that the training net's sources are most like; else in the order in which two
    were given.

    Raises:
        UsageError: there are not two, or several may be meant.
    """
    train = [one for one in found.databases if _TRAIN.search(one.name)]
    test = [one for one in found.databases if _TEST.search(one.name) and one not in train]
    sources = [] if net is None else [layer.data_param.source for layer in net.layer if layer.type == "Data"]
    train, test = _likest(train, sources), _likest(test, sources)
    if len(test) > 1 and (chosen := [one for one in test if "val" in one.name.lower()]):
        _log.warning("%s is the test set; %s", chosen[0], _left(one for one in test if one not in chosen))
        test = chosen
    if len(train) == 1 and len(test) == 1:
        return train[0], test[0]
    if len(found.databases) == 2 and not (train and test):
        return found.databases[0], found.databases[1]
    named = f"the databases {', '.join(map(str, found.databases))}" if found.databases else "no database"
    raise UsageError(
        f"found {named}; expected one for training and one for testing",
        hint="name both: wf import TRAIN_LMDB TEST_LMDB",
    )


def _likest(databases: list[Path], sources: Sequence[str]) -> list[Path]:
    """The databases whose paths end most like one of the sources."""
    ends = {one: max((_common(one.parts, Path(source).parts) for source in sources), default=0) for one in databases}
    return [one for one in databases if ends[one] == max(ends.values())]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts of two paths are the same at the end."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def one_of(kind: str, candidates: Sequence[Path], *, preferred: str = "", flag: str = "") -> Path | None:
    """The file of a kind; of several the one whose name holds the preferred word. None if there is none.

    Raises:
        UsageError: several may be meant.
    """
    if len(candidates) > 1 and preferred:
        candidates = [one for one in candidates if re.search(preferred, one.name)] or candidates
    if len(candidates) > 1:
        named = ", ".join(map(str, candidates))
        raise UsageError(
            f"found several files that may be the {kind}: {named}",
            hint=f"{flag} FILE" if flag else "name the files instead of their folder",
        )
    return candidates[0] if candidates else None


def training_net(found: Found, solver: caffe_pb2.SolverParameter | None) -> Path | None:
    """The net that the solver names, else the one with the usual name.

    Raises:
        UsageError: several may be meant.
    """
    if solver is not None and solver.net:
        named = [one for one in found.training_nets if one.name == Path(solver.net).name]
        if len(named) == 1:
            return named[0]
    return one_of("training net", found.training_nets, preferred="train_?(val|test)")


def snapshots(found: Found) -> list[Snapshot]:
    """The snapshots, all of one net.

    Raises:
        UsageError: there are snapshots of several nets.
    """
    if len(found.snapshots) > 1:
        raise UsageError(
            f"found snapshots of several nets: {', '.join(sorted(found.snapshots))}",
            hint="name the files instead of their folder",
        )
    return next(iter(found.snapshots.values()), [])


def solver(found: Found) -> Path | None:
    """The solver; of several, which usually continue training at a lower rate, the one with the shortest name."""
    ranked = sorted(found.solvers, key=lambda one: (len(one.name), str(one)))
    if len(ranked) > 1:
        _log.warning("%s is the solver; %s", ranked[0], _left(iter(ranked[1:])))
    return ranked[0] if ranked else None


def net_of(path: Path | None) -> caffe_pb2.NetParameter | None:
    """The net in a file, upgraded; None if there is no file."""
    return None if path is None else read_net(path)


def _left(paths: Iterator[Path]) -> str:
    return f"{', '.join(map(str, paths))} left out"
