"""Layers of forks of Caffe: Permute is in the everyday build, the others are in no Caffe at hand."""

from __future__ import annotations

from conformance.case import Case, Rng, elsewhere, floats, generator, shape

for _kind in ("Axpy", "Interp", "Normalize", "ReLU6", "ShuffleChannel", "Upsample"):
    elsewhere(_kind, why="no Caffe at hand has it; its rule is stated in numpy", test="tests/layers/test_forks.py")
for _kind in ("PriorBox", "DetectionOutput"):
    elsewhere(_kind, why="no Caffe at hand has it; its rule is stated in loops", test="tests/layers/test_detection.py")


@generator("Permute")
def permute(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(2, 6)))
    order = rng.permutation(len(sizes))[: int(rng.integers(0, len(sizes) + 1))]
    param = " ".join(f"order: {axis}" for axis in order)
    return Case(layer=f"permute_param {{ {param} }}", bottoms=[floats(rng, sizes)])
