"""Deploy nets that scripts/bench runs beside cifar10_quick: a ResNet-20, a LeNet of one channel, an SSD-like net."""

from __future__ import annotations

from collections.abc import Iterator


def lenet() -> str:
    """LeNet as Caffe's MNIST example has it, 28 x 28 in one channel (LeCun et al. 1998), batch 100."""
    parts = [_input(100, 1, 28), _convolution("conv1", "data", 20, kernel=5), _pool("pool1", "conv1", 2)]
    parts += [_convolution("conv2", "pool1", 50, kernel=5), _pool("pool2", "conv2", 2), _full("ip1", "pool2", 500)]
    return _net("lenet", [*parts, _relu("ip1"), _full("ip2", "ip1", 10), _softmax("prob", "ip2")])


def resnet_20() -> str:
    """The residual net of 20 layers for 32 x 32 (He et al. 2015, section 4.2, projections for shortcuts), batch 20."""
    parts = [_input(20, 3, 32), *_normalised("conv1", "data", 16, kernel=3, pad=1), _relu("conv1")]
    bottom = "conv1"
    for stage, channels in enumerate((16, 32, 64), start=1):
        for block in range(3):
            name, stride = f"res{stage}{'abc'[block]}", 2 if stage > 1 and block == 0 else 1
            parts += _normalised(f"{name}_1", bottom, channels, kernel=3, pad=1, stride=stride)
            parts += [_relu(f"{name}_1"), *_normalised(f"{name}_2", f"{name}_1", channels, kernel=3, pad=1)]
            shortcut = bottom
            if stride == 2:
                shortcut = f"{name}_shortcut"
                parts += _normalised(shortcut, bottom, channels, kernel=1, stride=2)
            bottoms = f'bottom: "{shortcut}" bottom: "{name}_2"'
            parts += [f'layer {{ name: "{name}" type: "Eltwise" {bottoms} top: "{name}" }}', _relu(name)]
            bottom = name
    parts.append(_layer("pool", "Pooling", bottom, "pooling_param { pool: AVE global_pooling: true }"))
    return _net("resnet_20", [*parts, _full("fc", "pool", 10), _softmax("prob", "fc")])


def ssd_like() -> str:
    """A single-shot detector in little (Liu et al. 2015): a trunk, three scales, boxes and scores side by side.

    96 x 96, batch 8, 4 boxes a cell, 3 classes; without the layers of the fork that chooses boxes, which the real
    Caffe at hand does not know.
    """
    parts, bottom, boxes, scores = [_input(8, 3, 96)], "data", [], []
    for scale, channels in enumerate((32, 64, 96, 128, 128), start=1):
        for half in "ab":
            name = f"conv{scale}{half}"
            parts += [_convolution(name, bottom, channels, kernel=3, pad=1), _relu(name)]
            bottom = name
        if scale >= 3:
            for kind, count, into in (("box", 4 * 4, boxes), ("score", 4 * 3, scores)):
                name = f"{kind}{scale}"
                parts.append(_convolution(name, bottom, count, kernel=3, pad=1))
                parts.append(_layer(f"{name}_order", "Permute", name, "permute_param { order: [0, 2, 3, 1] }"))
                parts.append(_layer(f"{name}_flat", "Flatten", f"{name}_order"))
                into.append(f"{name}_flat")
        parts.append(_pool(f"pool{scale}", bottom, 2))
        bottom = f"pool{scale}"
    parts += [_concat("boxes", boxes), _concat("scores", scores)]
    parts.append(_layer("scores_rows", "Reshape", "scores", "reshape_param { shape { dim: 0 dim: -1 dim: 3 } }"))
    return _net("ssd_like", [*parts, _layer("prob", "Softmax", "scores_rows", "softmax_param { axis: 2 }")])


NETS = {"LeNet, batch 100": lenet, "ResNet-20, batch 20": resnet_20, "SSD-like, batch 8": ssd_like}


def _net(name: str, parts: list[str]) -> str:
    return "\n".join([f'name: "{name}"', *parts]) + "\n"


def _input(batch: int, channels: int, side: int) -> str:
    dims = " ".join(f"dim: {dim}" for dim in (batch, channels, side, side))
    return f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {dims} }} }} }}'


def _layer(name: str, kind: str, bottom: str, param: str = "", *, top: str | None = None) -> str:
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top or name}" {param} }}'


def _convolution(name: str, bottom: str, count: int, *, kernel: int, pad: int = 0, stride: int = 1) -> str:
    shape = f"num_output: {count} kernel_size: {kernel} pad: {pad} stride: {stride}"
    return _layer(name, "Convolution", bottom, f'convolution_param {{ {shape} weight_filler {{ type: "msra" }} }}')


def _normalised(name: str, bottom: str, count: int, *, kernel: int, pad: int = 0, stride: int = 1) -> Iterator[str]:
    yield _convolution(name, bottom, count, kernel=kernel, pad=pad, stride=stride)
    yield _layer(f"{name}_bn", "BatchNorm", name, "batch_norm_param { use_global_stats: true }", top=name)
    yield _layer(f"{name}_scale", "Scale", name, "scale_param { bias_term: true }", top=name)


def _relu(name: str) -> str:
    return _layer(f"{name}_relu", "ReLU", name, top=name)


def _pool(name: str, bottom: str, size: int) -> str:
    return _layer(name, "Pooling", bottom, f"pooling_param {{ pool: MAX kernel_size: {size} stride: {size} }}")


def _full(name: str, bottom: str, count: int) -> str:
    param = f'num_output: {count} weight_filler {{ type: "xavier" }}'
    return _layer(name, "InnerProduct", bottom, f"inner_product_param {{ {param} }}")


def _softmax(name: str, bottom: str) -> str:
    return _layer(name, "Softmax", bottom)


def _concat(name: str, bottoms: list[str]) -> str:
    listed = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
    return f'layer {{ name: "{name}" type: "Concat" {listed} top: "{name}" }}'
