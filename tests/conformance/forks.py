"""Layers of forks of Caffe: Permute is in the everyday build; what OpenCV reads is held against OpenCV, forward."""

from __future__ import annotations

import numpy as np
from conformance.case import Array, Case, Rng, elsewhere, flag, floats, generator, maybe, picture, shape

ALONE = "no Caffe at hand has it"
for _kind in ("Axpy", "Upsample"):
    elsewhere(_kind, why=f"{ALONE}; its rule is stated in numpy", test="tests/layers/test_forks.py")


@generator("Permute")
def permute(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(2, 6)))
    order = rng.permutation(len(sizes))[: int(rng.integers(0, len(sizes) + 1))]
    param = " ".join(f"order: {axis}" for axis in order)
    return Case(layer=f"permute_param {{ {param} }}", bottoms=[floats(rng, sizes)])


@generator("ReLU6", opencv=f"{ALONE}; slopes and gradients: tests/layers/test_forks.py")
def relu6(rng: Rng) -> Case:
    """Without negative_slope, which OpenCV ignores."""
    return Case(bottoms=[5 * floats(rng, shape(rng, int(rng.integers(2, 5))))], backward=False)


@generator("ShuffleChannel", opencv=f"{ALONE}; gradients: tests/layers/test_forks.py")
def shuffle_channel(rng: Rng) -> Case:
    group, height, width = int(rng.integers(1, 5)), *shape(rng, 2, most=3)
    x = floats(rng, (2, group * int(rng.integers(1, 4)), height, width))
    return Case(layer=f"shuffle_channel_param {{ group: {group} }}", bottoms=[x], backward=False)


@generator("Interp", opencv=f"{ALONE}; gradients and shrink_factor: tests/layers/test_forks.py")
def interp(rng: Rng) -> Case:
    x = (2, 2, *shape(rng, 2, most=5))
    size = f"height: {rng.integers(2, 9)} width: {rng.integers(2, 9)}"
    param = "zoom_factor: 2" if rng.integers(3) == 0 else size
    return Case(layer=f"interp_param {{ {param} }}", bottoms=[floats(rng, x)], backward=False)


@generator("Normalize", opencv=f"{ALONE}; more, and gradients: tests/layers/test_forks.py")
def normalize(rng: Rng) -> Case:
    """Not across places, nor with one scale for all channels, which OpenCV refuses with these shapes."""
    x = picture(rng, least=2, most=4)
    param = f"across_spatial: false channel_shared: false eps: {rng.uniform(1e-4, 1):.4f}"
    scale = floats(rng, x[1:2])
    return Case(layer=f"norm_param {{ {param} }}", bottoms=[floats(rng, x)], blobs=[scale], backward=False)


@generator("PriorBox", opencv=f"{ALONE}; more in tests/layers/test_detection.py")
def prior_box(rng: Rng) -> Case:
    """Sizes are whole numbers, to which the fork cuts them and OpenCV does not."""
    size = int(rng.integers(5, 20))
    ratios = rng.choice([1.5, 2, 3, 4], size=int(rng.integers(3)), replace=False)
    variances = rng.uniform(0.05, 1, size=int(rng.choice([1, 4])))
    param = "".join([*(f"aspect_ratio: {ratio} " for ratio in ratios), *(f"variance: {v:.3f} " for v in variances)])
    param += f"min_size: {size} flip: {flag(rng)} clip: {flag(rng)} offset: {rng.uniform():.2f} "
    param += maybe(rng, f"max_size: {size + rng.integers(1, 20)} ")
    param += maybe(rng, f"step_h: {rng.integers(3, 9)} step_w: {rng.integers(3, 9)} ")
    sizes = (int(rng.integers(20, 40)), int(rng.integers(40, 60)))
    bottoms = [floats(rng, (2, 3, *shape(rng, 2, most=4))), np.zeros((1, 1, *sizes), np.float32)]
    return Case(layer=f"prior_box_param {{ {param}}}", bottoms=bottoms, backward=False)


@generator("DetectionOutput", opencv=f"{ALONE}; more in tests/layers/test_detection.py")
def detection_output(rng: Rng) -> Case:
    items, boxes, classes = (int(rng.integers(2, most)) for most in (4, 8, 5))
    share, code = flag(rng), rng.choice(["CORNER", "CENTER_SIZE"])
    places = 1 if share == "true" else classes
    param = (
        f"num_classes: {classes} share_location: {share} background_label_id: {rng.integers(classes)} "
        f"code_type: {code} keep_top_k: {rng.choice([3, 50])} "
        f"nms_param {{ nms_threshold: {rng.uniform(0.1, 0.8):.2f} top_k: {rng.choice([3, 100])} }} "
        f"confidence_threshold: {rng.uniform(0, 0.3):.2f}"
    )
    offsets = 0.3 * floats(rng, (items, boxes * places * 4))
    bottoms = [offsets, _likely(rng, items, boxes, classes), _places(rng, boxes)]
    return Case(layer=f"detection_output_param {{ {param} }}", bottoms=bottoms, backward=False)


def _likely(rng: Rng, items: int, boxes: int, classes: int) -> Array:
    scores = np.exp(floats(rng, (items, boxes, classes)))
    return (scores / scores.sum(axis=2, keepdims=True)).reshape(items, boxes * classes)


def _places(rng: Rng, boxes: int) -> Array:
    """Priors (1, 2, 4 boxes): corners, then variances."""
    corners = rng.uniform(0, 0.6, size=(boxes, 2))
    places = np.concatenate([corners, corners + rng.uniform(0.1, 0.4, size=(boxes, 2))], axis=1)
    return np.stack([places.ravel(), rng.uniform(0.1, 1, size=4 * boxes)])[None].astype(np.float32)
