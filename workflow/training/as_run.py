"""The prototxt files of a generation as they are run: the user's, filled in, so that real Caffe runs them unchanged."""

from __future__ import annotations

from pathlib import Path

from workflow.config import Train
from workflow.errors import NetError
from workflow.formats import caffe_pb2, prototxt
from workflow.generations import Generation, Record
from workflow.net.fill import Filling, fill_deploy, fill_solver, fill_train_test
from workflow.net.merge import merge
from workflow.net.paths import refuse_outside


def write(
    settings: Train, generation: Generation, record: Record, *, max_iter: int | None, seed: int | None
) -> caffe_pb2.SolverParameter:
    """Fill in and write train_test, deploy and solver.prototxt; returns the solver as run.

    Paths inside are relative to the project folder (the current one), where `caffe train --solver=...` runs them.

    Raises:
        PrototxtError, NetError: the user's files do not parse or cannot be filled in; X09 they reach for files outside
            the project.
    """
    solver = prototxt.read_solver(settings.solver)
    user_net, net_path = _net(solver, settings.solver)
    facts = Filling(
        train_source=generation.database("train").as_posix(),
        test_source=generation.database("test").as_posix(),
        mean=generation.mean.as_posix(),
        classes=len(record.classes),
        shape=record.preprocessing.shape,
        test_count=sum(record.counts["test"].values()),
    )
    net, passes = fill_train_test(user_net, facts)
    deploy = fill_deploy(prototxt.read_net(settings.deploy), facts)
    refuse_outside(net, at=net_path, filled=["Data"])
    refuse_outside(deploy, at=settings.deploy)
    name = _stem(solver, net)
    filled = fill_solver(
        solver,
        net=generation.prototxt("train_test").as_posix(),
        prefix=(generation.snapshots / name).as_posix(),
        passes=passes,
        max_iter=max_iter,
        random_seed=seed,
    )
    generation.prototxt("solver").parent.mkdir(exist_ok=True)
    prototxt.write(generation.prototxt("train_test"), net)
    prototxt.write(generation.prototxt("deploy"), deploy)
    prototxt.write(generation.prototxt("solver"), filled)
    return filled


def repeat(rerun: Generation) -> caffe_pb2.SolverParameter:
    """Write a rerun's prototxt: those that the generation was run with, but for the seed and the places.

    Raises:
        PrototxtError: the generation's files are missing or damaged.
    """
    original = rerun.original
    solver = prototxt.read_solver(original.prototxt("solver"))
    solver.net = rerun.prototxt("train_test").as_posix()
    solver.snapshot_prefix = (rerun.snapshots / Path(solver.snapshot_prefix).name).as_posix()
    solver.random_seed = rerun.seed or 0
    rerun.prototxt("solver").parent.mkdir(exist_ok=True)
    for kind in ("train_test", "deploy"):
        prototxt.write(rerun.prototxt(kind), prototxt.read_net(original.prototxt(kind)))
    prototxt.write(rerun.prototxt("solver"), solver)
    return solver


def _net(solver: caffe_pb2.SolverParameter, path: Path) -> tuple[caffe_pb2.NetParameter, Path]:
    """The train_test net that a solver names, and its file; of an old solver's two files one net is made.

    `train_net` and `test_net` are taken out of `solver` then.
    """
    if solver.train_net and len(solver.test_net) == 1:
        train_path = _found(solver.train_net, path)
        test = prototxt.read_net(_found(solver.test_net[0], path))
        solver.ClearField("train_net")
        solver.ClearField("test_net")
        return merge(prototxt.read_net(train_path), test), train_path
    if not solver.net:
        raise NetError(f"{path} names no net", at=path, hint='add net: "prototxt/..._train_test.prototxt"')
    net_path = _found(solver.net, path)
    return prototxt.read_net(net_path), net_path


def _found(name: str, path: Path) -> Path:
    """A net's file, relative to the project folder as Caffe has it, or to the folder of the solver at `path`."""
    for candidate in (Path(name), path.parent / name, path.parent / Path(name).name):
        if candidate.is_file():
            return candidate
    raise NetError(f"the solver's net '{name}' is neither in the project folder nor beside {path}", at=path)


def _stem(solver: caffe_pb2.SolverParameter, net: caffe_pb2.NetParameter) -> str:
    """The name that snapshots begin with: the last part of the user's snapshot_prefix, else the net's name."""
    prefix = Path(solver.snapshot_prefix).name if solver.snapshot_prefix else ""
    return prefix or "".join(c if c.isalnum() else "_" for c in net.name.lower()) or "net"
