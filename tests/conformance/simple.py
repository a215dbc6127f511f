"""Layers that compute each value from the one below it: activations, powers, sums of bottoms."""

from __future__ import annotations

import numpy as np
from conformance.case import Case, Rng, flag, floats, generator, maybe, shape, whole


def _anywhere(rng: Rng) -> bool:
    return bool(rng.integers(2))


@generator("AbsVal")
def absval(rng: Rng) -> Case:
    return Case(bottoms=[floats(rng, shape(rng))])


@generator("ReLU")
def relu(rng: Rng) -> Case:
    in_place = _anywhere(rng)
    slope = rng.uniform(0 if in_place else -1, 1)  # in place, Caffe takes the sign of the top for the bottom's
    param = maybe(rng, f"relu_param {{ negative_slope: {slope:.3f} }}")
    return Case(layer=param, bottoms=[floats(rng, shape(rng))], in_place=in_place)


@generator("ELU")
def elu(rng: Rng) -> Case:
    alpha = maybe(rng, f"elu_param {{ alpha: {rng.uniform(0.1, 2):.3f} }}")
    return Case(layer=alpha, bottoms=[floats(rng, shape(rng))], in_place=_anywhere(rng))


@generator("Sigmoid")
def sigmoid(rng: Rng) -> Case:
    return Case(bottoms=[3 * floats(rng, shape(rng))], in_place=_anywhere(rng))


@generator("TanH")
def tanh(rng: Rng) -> Case:
    return Case(bottoms=[floats(rng, shape(rng))], in_place=_anywhere(rng))


@generator("BNLL")
def bnll(rng: Rng) -> Case:
    return Case(bottoms=[rng.choice([1, 10, 60]) * floats(rng, shape(rng))])


@generator("Swish")
def swish(rng: Rng) -> Case:
    beta = maybe(rng, f"swish_param {{ beta: {rng.uniform(-2, 2):.3f} }}")
    return Case(layer=beta, bottoms=[floats(rng, shape(rng))])


@generator("Clip", debian="the everyday build does not have it")
def clip(rng: Rng) -> Case:
    low, high = sorted(rng.choice([-2, -1, 0, 1, 2], size=2, replace=False))
    x = floats(rng, shape(rng, most=3)) if rng.integers(2) else whole(rng, shape(rng, most=3), 5) - 2
    return Case(layer=f"clip_param {{ min: {low} max: {high} }}", bottoms=[x])


@generator("Threshold")
def threshold(rng: Rng) -> Case:
    limit = maybe(rng, f"threshold_param {{ threshold: {rng.uniform(-1, 1):.3f} }}")
    return Case(layer=limit, bottoms=[floats(rng, shape(rng))], backward=False)


@generator("Power")
def power(rng: Rng) -> Case:
    exponent = rng.choice(["0", "1", "2", "3", f"{rng.uniform(-2, 3):.3f}"])
    scale = rng.choice(["0", "1", f"{rng.uniform(-1, 1):.3f}"])
    away = 3 if exponent not in ("0", "1", "2") else rng.uniform(-2, 2)  # 3 + scale x is positive
    x = floats(rng, shape(rng), low=-2, high=2)
    return Case(layer=f"power_param {{ power: {exponent} scale: {scale} shift: {away:.3f} }}", bottoms=[x])


def _base(rng: Rng) -> str:
    return maybe(rng, f"base: {rng.choice([-1, 0.5, 2, 10])} ")


@generator("Exp")
def exp(rng: Rng) -> Case:
    scale = maybe(rng, f"scale: {rng.uniform(-1, 1):.3f} ")
    param = f"exp_param {{ {_base(rng)}{scale}shift: {rng.uniform(-1, 1):.3f} }}"
    return Case(layer=param, bottoms=[floats(rng, shape(rng))], in_place=_anywhere(rng))


@generator("Log")
def log(rng: Rng) -> Case:
    scale = rng.choice([-1, 1]) * rng.uniform(0.1, 0.5)
    param = f"log_param {{ {_base(rng)}scale: {scale:.3f} shift: {rng.uniform(1.2, 3):.3f} }}"
    return Case(layer=param, bottoms=[floats(rng, shape(rng), low=-2, high=2)])


@generator("Dropout")
def dropout(rng: Rng) -> Case:
    """As it is when testing; what it draws when training is for tests/layers/test_dropout.py to judge."""
    param = f"phase: TEST dropout_param {{ dropout_ratio: {rng.uniform(0.1, 0.9):.3f} }}"
    return Case(layer=param, bottoms=[floats(rng, shape(rng))], in_place=_anywhere(rng))


@generator("Eltwise")
def eltwise(rng: Rng) -> Case:
    count, size = int(rng.integers(2, 5)), shape(rng)
    operation = rng.choice(["SUM", "PROD", "MAX"])
    terms = "".join(f"coeff: {rng.uniform(-2, 2):.3f} " for _ in range(count))
    more = (
        maybe(rng, terms)
        if operation in ("SUM", "MAX")
        else f"stable_prod_grad: {flag(rng)}"
        if operation == "PROD"
        else ""
    )
    # whole numbers tie often, and a tie between the first two is the second's in MAX
    bottoms = [whole(rng, size, 4) if operation == "MAX" else floats(rng, size, low=0.5, high=2) for _ in range(count)]
    return Case(layer=f"eltwise_param {{ operation: {operation} {more} }}", bottoms=bottoms)


@generator("Softmax")
def softmax(rng: Rng) -> Case:
    x = 3 * floats(rng, shape(rng, int(rng.integers(2, 5))))
    axis = int(rng.integers(-x.ndim, x.ndim))
    return Case(layer=maybe(rng, f"softmax_param {{ axis: {axis} }}"), bottoms=[x], in_place=_anywhere(rng))


@generator("ArgMax")
def argmax(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(1, 6)))
    axis = int(rng.integers(-len(x), len(x))) if rng.integers(2) else None
    most = int(np.prod(x[1:])) if axis is None else x[axis]
    where = "" if axis is None else f"axis: {axis} "
    param = f"argmax_param {{ {where}top_k: {rng.integers(1, most + 1)} out_max_val: {flag(rng)} }}"
    return Case(layer=param, bottoms=[whole(rng, x, 9) if rng.integers(2) else floats(rng, x)], backward=False)


@generator("Accuracy")
def accuracy(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(2, 5)))
    axis = int(rng.integers(0, len(x)))
    axis = axis if x[axis] > 1 else 0
    scores = whole(rng, x, 5) if rng.integers(2) else floats(rng, x)
    labels = whole(rng, [int(np.prod(x[:axis])), int(np.prod(x[axis + 1 :]))], x[axis])
    ignored = maybe(rng, f"ignore_label: {rng.integers(0, x[axis])} ")
    place = axis - int(rng.integers(2)) * len(x)
    param = f"accuracy_param {{ axis: {place} {ignored}top_k: {rng.integers(1, x[axis] + 1)} }}"
    return Case(layer=param, bottoms=[scores, labels], tops=int(rng.integers(1, 3)), backward=False)


@generator("MVN")
def mvn(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(1, 5)), most=7)
    x = (*x[:-1], max(3, x[-1]))
    eps = maybe(rng, f"eps: {10 ** rng.uniform(-9, -1):.2e} ")
    param = f"mvn_param {{ {eps}normalize_variance: {flag(rng)} across_channels: {flag(rng)} }}"
    return Case(layer=param, bottoms=[floats(rng, x)])


@generator("Reduction")
def reduction(rng: Rng) -> Case:
    x = shape(rng)
    operation = rng.choice(["SUM", "ASUM", "SUMSQ", "MEAN"])
    param = f"operation: {operation} axis: {rng.integers(-len(x), len(x))} coeff: {rng.uniform(-2, 2):.3f}"
    return Case(layer=f"reduction_param {{ {param} }}", bottoms=[floats(rng, x)])
