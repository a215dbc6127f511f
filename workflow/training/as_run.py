"""The prototxt files of a generation as run: the user's, filled in so that real Caffe can run them unchanged."""

from __future__ import annotations

from pathlib import Path

from workflow.config import Config
from workflow.errors import NetError
from workflow.formats import caffe_pb2, prototxt
from workflow.formats.matrix import write_matrix
from workflow.generations import Generation, Record
from workflow.net.balance import balanced, matrix
from workflow.net.fill import Filling, fill_deploy, fill_solver, fill_train_test, train_batch
from workflow.net.merge import merge
from workflow.net.paths import refuse_outside
from workflow.net.shorten import shortened


def write(
    config: Config, generation: Generation, record: Record, *, max_iter: int | None, seed: int | None
) -> caffe_pb2.SolverParameter:
    """Fill in and write train_test, deploy and solver.prototxt; returns the solver as run.

    Paths inside are relative to the project folder, where `caffe train --solver=...` runs them.

    Raises:
        PrototxtError, NetError: the user's files do not parse or cannot be filled in; X09 they reach for files outside
            the project.
    """
    settings, project = config.train, config.project
    solver = prototxt.read_solver(settings.solver)
    user_net, net_path = _net(solver, settings.solver, project)
    facts = Filling(
        train_source=generation.recorded(generation.database("train")),
        test_source=generation.recorded(generation.database(record.solver_split)),
        mean=generation.recorded(generation.mean),
        classes=len(record.classes),
        shape=record.preprocessing.shape,
        test_count=sum(record.counts[record.solver_split].values()),
    )
    net, passes = fill_train_test(user_net, facts)
    if settings.passes is not None and max_iter is None:
        pictures = settings.passes * sum(record.counts["train"].values())
        batches = settings.workers if settings.batch == "each" else 1
        solver = shortened(solver, -(-pictures // (train_batch(net) * solver.iter_size * batches)))
    if settings.balance == "loss":
        net = balanced(net, generation.recorded(generation.balance))
    deploy = fill_deploy(prototxt.read_net(settings.deploy), facts)
    refuse_outside(net, project=project, at=net_path, filled=["Data"])
    refuse_outside(deploy, project=project, at=settings.deploy)
    name = _stem(solver, net)
    filled = fill_solver(
        solver,
        net=generation.recorded(generation.prototxt("train_test")),
        prefix=generation.recorded(generation.snapshots / name),
        passes=passes,
        max_iter=max_iter,
        random_seed=seed,
    )
    generation.prototxt("solver").parent.mkdir(exist_ok=True)
    if settings.balance == "loss":
        counts = record.counts["train"]
        write_matrix(generation.balance, matrix([counts[name] for name in record.classes]))
    prototxt.write(generation.prototxt("train_test"), net)
    prototxt.write(generation.prototxt("deploy"), deploy)
    prototxt.write(generation.prototxt("solver"), filled)
    return filled


def repeat(rerun: Generation) -> caffe_pb2.SolverParameter:
    """Write a rerun's prototxt: those that the generation was run with, except the seed and the paths.

    Raises:
        PrototxtError: the generation's files are missing or damaged.
    """
    original = rerun.original
    solver = prototxt.read_solver(original.prototxt("solver"))
    solver.net = rerun.recorded(rerun.prototxt("train_test"))
    solver.snapshot_prefix = rerun.recorded(rerun.snapshots / Path(solver.snapshot_prefix).name)
    solver.random_seed = rerun.seed or 0
    rerun.prototxt("solver").parent.mkdir(exist_ok=True)
    for kind in ("train_test", "deploy"):
        prototxt.write(rerun.prototxt(kind), prototxt.read_net(original.prototxt(kind)))
    prototxt.write(rerun.prototxt("solver"), solver)
    return solver


def _net(solver: caffe_pb2.SolverParameter, path: Path, project: Path) -> tuple[caffe_pb2.NetParameter, Path]:
    """The train_test net that a solver names, and its file; of an old solver's two files one net is made.

    `train_net` and `test_net` are taken out of `solver` then.
    """
    if solver.train_net and len(solver.test_net) == 1:
        train_path = _found(solver.train_net, path, project)
        test = prototxt.read_net(_found(solver.test_net[0], path, project))
        solver.ClearField("train_net")
        solver.ClearField("test_net")
        return merge(prototxt.read_net(train_path), test), train_path
    if not solver.net:
        raise NetError(f"{path} does not name a net", at=path, hint='add net: "prototxt/..._train_test.prototxt"')
    net_path = _found(solver.net, path, project)
    return prototxt.read_net(net_path), net_path


def _found(name: str, path: Path, project: Path) -> Path:
    """A net's file, relative to the project folder as Caffe has it, or to the folder of the solver at `path`."""
    for candidate in (project / name, path.parent / name, path.parent / Path(name).name):
        if candidate.is_file():
            return candidate
    raise NetError(f"the solver's net '{name}' is neither in the project folder nor beside {path}", at=path)


def _stem(solver: caffe_pb2.SolverParameter, net: caffe_pb2.NetParameter) -> str:
    """The prefix of snapshots' names: the last part of the user's snapshot_prefix, else the net's name."""
    prefix = Path(solver.snapshot_prefix).name if solver.snapshot_prefix else ""
    return prefix or "".join(c if c.isalnum() else "_" for c in net.name.lower()) or "net"
