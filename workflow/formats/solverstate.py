"""A solver's state: iteration, learning-rate step, and one or two arrays for each learnable parameter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from workflow.errors import ModelError
from workflow.formats import caffe_pb2, hdf5
from workflow.formats.blobproto import Array, from_array, to_array
from workflow.formats.files import read_whole
from workflow.formats.foreign import refuse_foreign, refuse_message
from workflow.storage import atomic_write

_HINT = "use an older snapshot, or copy the file again"
_WANTED = "a solver's state is in a .solverstate or a .solverstate.h5"


@dataclass(frozen=True, kw_only=True)
class State:
    """A solverstate. The solver's type is not stored: SGD's and Nesterov's look alike.

    history: float32, in the net's order of learnable parameters; AdaDelta and Adam hold twice as many, all first
    moments before all second ones.
    """

    iteration: int
    """Updates done."""
    learned_net: str = ""
    """The weights' file as written: relative to the current folder of the process that wrote it."""
    history: tuple[Array, ...] = ()
    current_step: int = 0
    """How many steps policy `multistep` has taken."""


def read(path: Path) -> State:
    """Binary or HDF5, recognised by the first bytes; legacy 4-D shapes are kept as they are.

    Raises:
        ModelError: C01 missing, empty, truncated or damaged; C03 a model's file; C04 a pickle.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, fault="C07")
    if not data:
        raise ModelError(f"{path} is empty", hint=_HINT, fault="C01")
    if hdf5.is_hdf5(data):
        iteration, learned, step, history = hdf5.read_state(path)
        return _checked(
            State(iteration=iteration, learned_net=learned, history=tuple(history), current_step=step), path
        )
    refuse_foreign(path, data, hint=_WANTED)
    try:
        message = caffe_pb2.SolverState.FromString(data)
    except DecodeError:
        _refuse_model(path, data)
        raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="C01") from None
    if not message.history:
        _refuse_model(path, data)
        refuse_message(path, data, caffe_pb2.SolverState, hint=_WANTED)
    if not message.HasField("iter"):
        raise ModelError(f"{path} is not a solver state", hint=_HINT, fault="C01")
    try:
        arrays = tuple(to_array(blob) for blob in message.history)
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", hint=_HINT, fault="C01") from None
    return _checked(
        State(
            iteration=message.iter,
            learned_net=_text(message.learned_net),
            history=arrays,
            current_step=message.current_step,
        ),
        path,
    )


def weights_of(state: State, path: Path, folder: Path) -> Path:
    """The weights that belong to a state.

    They are looked for where the state says, relative to `folder`; under that name beside the state; and under the
    state's own name beside it, because both may have been renamed.

    Raises:
        ModelError: C07, they are in none of these places.
    """
    learned = state.learned_net
    own = path.with_name(path.name.replace(".solverstate", ".caffemodel"))
    places: list[Path] = [folder / learned, path.with_name(Path(learned).name), own] if learned else [own]
    for candidate in places:
        if candidate != path and candidate.is_file():
            return candidate
    raise ModelError(
        f"{path} needs its weights '{learned or own.name}', which were not found there or beside it",
        hint="keep the .caffemodel and the .solverstate together",
        fault="C07",
    )


def write(path: Path, state: State) -> None:
    """Replace `path` by the state, binary, as a whole and durably.

    Raises:
        OSError: as the operating system says it.
    """
    message = caffe_pb2.SolverState(
        iter=state.iteration, learned_net=state.learned_net, current_step=state.current_step
    )
    message.history.extend(from_array(array) for array in state.history)
    atomic_write(Path(path), message.SerializeToString())


def write_hdf5(path: Path, state: State) -> None:
    """Replace `path` by the state as Caffe's `snapshot_format: HDF5` writes it.

    Raises:
        OSError: as the operating system says it.
    """
    hdf5.write_state(Path(path), state.iteration, state.learned_net, state.current_step, list(state.history))


def _checked(state: State, path: Path) -> State:
    if state.iteration < 0 or state.current_step < 0:
        raise ModelError(
            f"{path}: iteration {state.iteration}, step {state.current_step}; expected 0 or more", fault="C01"
        )
    return state


def _text(value: str | bytes) -> str:
    """Protobuf gives back a string that is not UTF-8 as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _refuse_model(path: Path, data: bytes) -> None:
    try:
        net = caffe_pb2.NetParameter.FromString(data)
    except DecodeError:
        return
    if net.layer or net.layers:
        raise ModelError(
            f"{path} holds weights, not solver state",
            hint=f"use {path.with_suffix('.solverstate').name}, or --weights to start from these weights",
            fault="C03",
        )
