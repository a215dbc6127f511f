"""A solver's state on disk, in Caffe's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from workflow.engines.torch_cpu.built import as_array
from workflow.engines.torch_cpu.trainable import Trainable
from workflow.errors import ModelError
from workflow.formats import caffe_pb2, caffemodel, solverstate


def save(
    net: Trainable,
    history: Sequence[Tensor],
    *,
    prefix: Path,
    folder: Path,
    iteration: int,
    current_step: int,
    hdf5: bool,
    gradients: bool = False,
) -> tuple[Path, Path]:
    """Write PREFIX_iter_N.caffemodel and .solverstate, each whole or not at all, the weights first.

    `prefix` is relative to `folder`, as `learned_net` will be inside the state; `history` has the update rule's
    blobs in Caffe's order; `hdf5` asks for `.caffemodel.h5` and `.solverstate.h5`, `gradients` for the last
    gradients beside the weights (the solver's `snapshot_diff`).

    Raises:
        OSError: as the operating system says it.
    """
    ending = ".h5" if hdf5 else ""
    model = Path(f"{prefix}_iter_{iteration}.caffemodel{ending}")
    state = Path(f"{prefix}_iter_{iteration}.solverstate{ending}")
    (caffemodel.write_hdf5 if hdf5 else caffemodel.write)(folder / model, net.message(gradients=gradients))
    content = solverstate.State(
        iteration=iteration,
        learned_net=model.as_posix(),
        history=tuple(as_array(blob) for blob in history),
        current_step=current_step,
    )
    (solverstate.write_hdf5 if hdf5 else solverstate.write)(folder / state, content)
    return folder / model, folder / state


def load(path: Path, net: Trainable, history: Sequence[Tensor], *, folder: Path) -> solverstate.State:
    """Restore the history and, from the state's `learned_net`, the weights.

    The weights are looked for where the state says, relative to `folder`, and then beside the state.

    Raises:
        ModelError: the state belongs to another net or solver, or its weights are missing.
    """
    state = solverstate.read(path)
    if len(state.history) != len(history):
        raise ModelError(
            f"{path} holds {len(state.history)} history blobs, this net and solver type need {len(history)}",
            hint="it was made by another net or solver type; --weights starts a new run from its weights",
            fault="C07",
        )
    for index, (blob, array) in enumerate(zip(history, state.history, strict=True)):
        if blob.numel() != array.size:
            raise ModelError(
                f"{path}: history blob {index} has shape {array.shape}, the net's parameter {tuple(blob.shape)}",
                hint="it was made by another net; --weights starts a new run from its weights",
                fault="C07",
            )
    net.copy_from(read_weights(solverstate.weights_of(state, path, folder)))
    with torch.no_grad():
        for blob, array in zip(history, state.history, strict=True):
            blob.copy_(torch.from_numpy(array).view(blob.shape))
    return state


def read_weights(path: Path) -> caffe_pb2.NetParameter:
    """A caffemodel that training may start from.

    Raises:
        ModelError: it is damaged, or holds NaN or infinite weights.
    """
    model = caffemodel.read(path)
    bad = caffemodel.nonfinite(model)
    if bad:
        name, count = next(iter(bad.items()))
        raise ModelError(
            f"{path} has {count} NaN or infinite weights in '{name}'", hint="use an earlier snapshot", fault="C05"
        )
    return model
