"""The nets that a solver trains and tests.

Source: src/caffe/solver.cpp, Solver::InitTrainNet and InitTestNets.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_net
from workflow.net.build import build
from workflow.net.spec import NetSpec, Phase

_Solver = caffe_pb2.SolverParameter


def train_net(param: _Solver, folder: Path) -> NetSpec:
    """The net to train: `net`, `train_net`, `net_param` or `train_net_param`, in TRAIN phase with `train_state`.

    Raises:
        NetError: none or several of the four are given, or the net cannot be built.
        PrototxtError: the net's file does not parse.
    """
    given = [field for field in ("train_net_param", "train_net", "net_param", "net") if param.HasField(field)]
    if len(given) != 1:
        raise NetError(
            f"solver gives {', '.join(given) if given else 'no net'}; expected one of net, train_net, net_param, "
            "train_net_param"
        )
    net, source = _load(getattr(param, given[0]), folder)
    return _build(net, "TRAIN", param.train_state, source)


def test_nets(param: _Solver, folder: Path) -> list[NetSpec]:
    """One net for each `test_iter`: `test_net_param` and `test_net` first, the rest from `net` or `net_param`.

    Raises:
        NetError: more test nets than test_iter, test_iter without test_interval, or no net to test.
    """
    count = len(param.test_iter)
    explicit: list[str | caffe_pb2.NetParameter] = [*param.test_net_param, *param.test_net]
    if len(explicit) > count:
        raise NetError(f"{len(explicit)} test nets but {count} test_iter; expected one test_iter for each test net")
    if count and param.test_interval <= 0:
        raise NetError("test_iter without test_interval", hint="set test_interval, or leave test_iter out")
    if len(param.test_state) not in (0, count):
        raise NetError(f"{len(param.test_state)} test_state, expected none or one for each of {count} test nets")
    shared = next((getattr(param, field) for field in ("net_param", "net") if param.HasField(field)), None)
    if count > len(explicit) and shared is None:
        raise NetError(f"{count} test_iter but {len(explicit)} test nets, and no net for the others")
    specs = []
    for index in range(count):
        net, source = _load(explicit[index] if index < len(explicit) else shared, folder)
        state = param.test_state[index] if param.test_state else caffe_pb2.NetState()
        specs.append(_build(net, "TEST", state, source))
    return specs


def _build(net: caffe_pb2.NetParameter, phase: Phase, state: caffe_pb2.NetState, source: Path | None) -> NetSpec:
    """The net for what its own state says and, above that, the solver's: stages of both, the solver's level if given.

    A `phase` in either is ignored. (Caffe would use it, and train a net in TEST phase.)
    """
    level = state.level if state.HasField("level") else net.state.level
    return build(net, phase=phase, level=level, stages=tuple(state.stage), source=source)


def _load(
    given: str | caffe_pb2.NetParameter | None, folder: Path, read: Callable[[Path], caffe_pb2.NetParameter] = read_net
) -> tuple[caffe_pb2.NetParameter, Path | None]:
    if isinstance(given, caffe_pb2.NetParameter):
        return given, None
    path = folder / str(given)
    return read(path), path
