"""One random net of a layer type, and the list of generators that draw them.

To add a family of layer types, put a module into this folder (it is found by itself) with one function a type:

    @generator("Power")
    def power(rng: Rng) -> Case:
        return Case(layer=f"power_param {{ scale: {rng.uniform(-2, 2):.3f} }}", bottoms=[floats(rng, shape(rng))])

The function is called 20 times or more with other random numbers: draw every parameter of the layer's message, sides
that are not equal, batches that are not 1, sizes that leave remainders. What comes of it is run through real Caffe
(`recording.py`) and through ours (`replay.py`), forward and backward, with random parameters and random gradients
of the tops. A type that Caffe cannot judge says so with `elsewhere`. `scripts/conformance` prints the table;
`tests/golden/layers/record.py` keeps the first nets of each type as golden files.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Rng = np.random.Generator
CLOSE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Case:
    """A layer between inputs and tops, or a whole net."""

    layer: str = ""
    """The body of the layer without name, type, bottoms and tops: `convolution_param { num_output: 3 }`."""
    bottoms: Sequence[Array] = ()
    tops: int = 1
    in_place: bool = False
    """The first top is the first bottom. Not for layers whose gradient Caffe gets wrong then."""
    fixed: Sequence[int] = ()
    """Bottoms that get no gradient, because Caffe stops when asked for it: labels, indices, selectors. Its
    force_backward is not used then: Bias layers below the others make it want theirs."""
    blobs: Sequence[Array] = ()
    """The layer's parameters; normally distributed random numbers if empty."""
    backward: bool = True
    """Whether the layer has a gradient at all (Accuracy, ArgMax and Threshold have none)."""
    forwards: int = 1
    """How many forward passes, with the same inputs; each is compared, the gradients are those of the last."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """File name -> content, in the folder that the net runs in."""
    net: str = ""
    """The prototxt of a whole net, instead of all that: its Input layers must be called b0, b1 and so on."""

    def prototxt(self, kind: str) -> str:
        """The net: an Input layer for each bottom, then the layer, which is called `one`; tops are `y0`, `y1`..."""
        if self.net:
            return self.net
        inputs = [_input(index, bottom.shape) for index, bottom in enumerate(self.bottoms)]
        names = [f"b{index}" for index in range(len(self.bottoms))]
        if self.fixed:
            free = [index for index in range(len(names)) if index not in self.fixed]
            inputs += [_feed(index) for index in free]
            names = [f"x{index}" if index in free else name for index, name in enumerate(names)]
        tops = [f"y{index}" for index in range(self.tops)]
        if self.in_place:
            tops[0] = names[0]
        wires = " ".join([*(f'bottom: "{name}"' for name in names), *(f'top: "{top}"' for top in tops)])
        weights = (
            "loss_weight: 1 " * self.tops if self.fixed and self.backward and "loss_weight" not in self.layer else ""
        )
        head = "" if self.fixed or not self.backward else "force_backward: true\n"
        return f'{head}{"".join(inputs)}layer {{ name: "one" type: "{kind}" {wires} {weights}{self.layer} }}\n'


def _input(index: int, shape: Sequence[int]) -> str:
    dims = " ".join(f"dim: {size}" for size in shape)
    return f'layer {{ name: "b{index}" type: "Input" top: "b{index}" input_param {{ shape {{ {dims} }} }} }}\n'


def _feed(index: int) -> str:
    """A layer that adds 0, a parameter: Caffe computes gradients of what lies above parameters."""
    return (
        f'layer {{ name: "feed{index}" type: "Bias" bottom: "b{index}" top: "x{index}" propagate_down: true '
        "bias_param { axis: 0 num_axes: 0 } }\n"
    )


@dataclass(frozen=True, kw_only=True)
class Generator:
    """How nets of a layer type are drawn, and how near they must come."""

    kind: str
    draw: Callable[[Rng], Case]
    tolerance: float
    why: str
    """Why the tolerance is not 1e-5."""
    debian: str = ""
    """Why the everyday build of Caffe cannot judge the type, but Debian 11's can."""
    opencv: str = ""
    """Why no Caffe can judge the type, but OpenCV can, forward only."""

    @property
    def by_golden_file(self) -> bool:
        """Whether the type is held by its golden file alone, for want of a witness in `.caffe/`."""
        return bool(self.debian or self.opencv)

    def cases(self, count: int, seed: int = 1) -> list[Case]:
        """The first `count` random nets; each is a function of seed, type and its own number alone."""
        return [self.draw(np.random.default_rng([seed, zlib.crc32(self.kind.encode()), i])) for i in range(count)]


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A layer type that no random net compares with Caffe."""

    why: str
    test: str
    """The test that holds it instead."""


GENERATORS: dict[str, Generator] = {}
ELSEWHERE: dict[str, Elsewhere] = {}


def generator(
    kind: str, *, tolerance: float = CLOSE, why: str = "", debian: str = "", opencv: str = ""
) -> Callable[[Callable[[Rng], Case]], Callable[[Rng], Case]]:
    """Register a function that draws nets of a layer type.

    Args:
        kind: the layer type.
        tolerance: relative error allowed; more than 1e-5 needs a reason.
        why: that reason: where Caffe itself is so loose, and why.
        debian: why only Debian 11's build of Caffe can judge the type; it is held by its golden file then.
        opencv: why only OpenCV can judge the type, forward; it is held by its golden file then, too.
    """
    if tolerance > CLOSE and not why:
        raise ValueError(f"a tolerance of {tolerance:g} for {kind} needs a reason")

    def register(draw: Callable[[Rng], Case]) -> Callable[[Rng], Case]:
        if kind in GENERATORS:
            raise ValueError(f"layer type {kind} has two generators")
        GENERATORS[kind] = Generator(kind=kind, draw=draw, tolerance=tolerance, why=why, debian=debian, opencv=opencv)
        return draw

    return register


def elsewhere(kind: str, *, why: str, test: str) -> None:
    """Say that a layer type is held by another test: random numbers, side effects, or no Caffe that has it."""
    ELSEWHERE[kind] = Elsewhere(why=why, test=test)


def load_families() -> None:
    """Import every module beside this one; each registers its generators."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.name.startswith("test_"):
            importlib.import_module(f"conformance.{path.stem}")


# ---- what generators draw with ----


def shape(rng: Rng, axes: int | None = None, *, most: int = 6) -> tuple[int, ...]:
    """Random sizes, no two neighbours alike, at least 2 first (a batch); 1 to 5 axes if their number is not said."""
    axes = int(rng.integers(1, 6)) if axes is None else axes
    sizes = [int(rng.integers(2, most + 1))] if axes else []
    while len(sizes) < axes:
        size = int(rng.integers(1 if axes > 2 else 2, most + 1))
        if size != sizes[-1]:
            sizes.append(size)
    return tuple(sizes)


def picture(rng: Rng, *, least: int = 4, most: int = 7) -> tuple[int, int, int, int]:
    """(N, C, H, W) with 2 or 3 pictures of 2 to 4 channels, H not W."""
    height, width = (int(side) for side in rng.choice(np.arange(least, most + 1), size=2, replace=False))
    return int(rng.integers(2, 4)), int(rng.integers(2, 5)), height, width


def floats(rng: Rng, shape: Sequence[int], *, low: float | None = None, high: float | None = None) -> Array:
    """float32 of that shape: normally distributed, or uniform in [low, high)."""
    if low is None or high is None:
        return rng.normal(size=shape).astype(np.float32)
    return rng.uniform(low, high, size=shape).astype(np.float32)


def whole(rng: Rng, shape: Sequence[int], below: int) -> Array:
    """Whole numbers 0..below-1 as float32, for labels and indices."""
    return rng.integers(0, below, size=shape).astype(np.float32)


def maybe(rng: Rng, text: str) -> str:
    """The text or nothing."""
    return text if rng.integers(2) else ""


def flag(rng: Rng) -> str:
    """`true` or `false`."""
    return "true" if rng.integers(2) else "false"
