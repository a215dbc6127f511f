"""Where a net runs. Torch's device `meta`, shapes without numbers, stands for a GPU: it refuses the CPU's tensors."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from conformance.case import GENERATORS, load_families
from conformance.golden import GOLDEN, read
from conformance.replay import replay
from google.protobuf import text_format
from one_generation import make_one
from overriding import over
from three_generations import settings

from workflow.engines.torch_cpu import Net
from workflow.engines.torch_cpu.device import gpu, resolve
from workflow.errors import EngineMissing, UsageError
from workflow.formats import caffe_pb2
from workflow.lean_torch import import_shape_kernels
from workflow.net.build import build
from workflow.training import train

load_families()
import_shape_kernels()  # tensors are made on `meta` here, before any layer has asked for them
META = torch.device("meta")
ON_A_GPU = 1e-5
LOOK_AT_NUMBERS = {
    "Accuracy",
    "DetectionOutput",
    "Filter",
    "HingeLoss",
    "InfogainLoss",
    "MultinomialLogisticLoss",
    "SigmoidCrossEntropyLoss",
    "SoftmaxWithLoss",
}
"""Types whose layers check labels or choose rows, which nothing but a device with numbers can."""
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens where there is no GPU")
with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU and PyTorch built for it")


def solver(text: str = "") -> caffe_pb2.SolverParameter:
    return text_format.Parse(text, caffe_pb2.SolverParameter())


def run(kind: str, phase: str, number: int, device: torch.device, folder: Path) -> Net:
    case = GENERATORS[kind].cases(number + 1, seed=5)[number]
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    message = text_format.Parse(case.prototxt(kind), caffe_pb2.NetParameter())
    net = Net(build(message, phase=phase), folder=folder, device=device)
    net.run({f"b{index}": bottom for index, bottom in enumerate(case.bottoms)} or None)
    return net


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("kind", sorted(set(GENERATORS) - LOOK_AT_NUMBERS))
def test_all_that_a_layer_makes_is_where_the_net_is(kind, phase, tmp_path):
    for number in range(2):
        net = run(kind, phase, number, META, tmp_path)
        everything = [*net.blobs.values(), *(one.tensor for one in net.learnable), net.loss]
        assert {tensor.device.type for tensor in everything} == {"meta"}


def test_the_cpu_is_the_default():
    assert resolve(None, solver()) == torch.device("cpu")  # Caffe's default for solver_mode is GPU
    assert resolve(None, solver("solver_mode: CPU")) == torch.device("cpu")
    assert resolve("cpu", solver("solver_mode: GPU")) == torch.device("cpu")


@without_gpu
def test_a_solver_that_says_gpu_is_warned_of_once(caplog):
    with caplog.at_level(logging.WARNING, logger="workflow"):
        assert resolve(None, solver("solver_mode: GPU")) == torch.device("cpu")
    (record,) = caplog.records
    assert record.getMessage().startswith("solver_mode is GPU, but PyTorch ")
    assert record.getMessage().endswith("sees no GPU; running on the CPU")


@without_gpu
def test_cuda_without_a_gpu_changes_nothing(project):
    one = make_one(project)
    before = sorted(path for path in one.folder.rglob("*") if path.is_file())
    with pytest.raises(EngineMissing, match="--device cuda: PyTorch .* sees no GPU") as caught:
        list(train(over(settings(), train__device="cuda"), fresh=True))
    assert caught.value.exit_code == 6
    assert "--device cpu" in (caught.value.hint or "")
    assert sorted(path for path in one.folder.rglob("*") if path.is_file()) == before


def test_real_caffe_has_no_gpu_here(project):
    make_one(project)
    with pytest.raises(UsageError, match="--device cuda is for the torch engine"):
        list(train(over(settings(), train__device="cuda", train__engine="caffe")))


@with_gpu
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.npz")), ids=lambda path: path.stem)
def test_a_gpu_computes_what_real_caffe_did(path, tmp_path):
    nets, _ = read(path)
    for name, recording in nets.items():
        (tmp_path / name).mkdir()
        worst = replay(recording, tmp_path / name, gpu(0))
        assert max(worst.outputs, worst.gradients) <= ON_A_GPU, (worst, str(recording["net"]))


@with_gpu
def test_a_resumed_run_on_a_gpu_ends_with_the_bytes_of_the_unbroken_one(project):
    one = make_one(project)

    def weights(*runs: int) -> bytes:
        for number, end in enumerate(runs):
            for _ in train(over(settings(), train__device="cuda"), fresh=not number, max_iter=end):
                pass
        return (one.folder / f"snapshots/small_iter_{runs[-1]}.caffemodel").read_bytes()

    assert weights(10) == weights(4, 10) == weights(10)
