"""Export a snapshot as an ONNX file, which is checked with onnxruntime before it is renamed into place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import EngineMissing, FindingError
from workflow.export import worth
from workflow.export.facts import facts
from workflow.export.graph import Graph
from workflow.export.layers import translate
from workflow.models.model import Model
from workflow.net.build import build
from workflow.storage import replacing

if TYPE_CHECKING:
    import onnx

OPSET = 17
TOLERANCE = 1e-5
"""What an output may differ by, as a part of its greatest value."""
_LOOSE = 1e-3  # for the outputs of `worth`: float32 here, float64 in wf
_PICTURES = 8
_IR = 8  # what onnxruntime of 2022 reads


def export_onnx(model: Model, out: Path) -> float:
    """Write a snapshot as ONNX; batch open, blobs by their Caffe names, preprocessing as metadata.

    The model takes what the net takes; the metadata's `rule` says how a picture becomes that. Behind the net's own
    outputs are those of `worth`.

    Args:
        model: the snapshot.
        out: the file; folders are made.

    Returns:
        The greatest difference to wf's own engine, as a part of the output's greatest value.

    Raises:
        EngineMissing: onnx or onnxruntime is not installed.
        NetError: a layer that ONNX does not express; it is named.
        FindingError: the outputs differ by more than 1e-5; nothing is written.
        OSError: as the operating system says it.
    """
    try:
        import onnx  # a second to import, and only this function needs them
        import onnxruntime
    except ImportError as error:
        raise EngineMissing(f"the package '{error.name}' is not installed", hint="pip install 'wf[export]'") from error
    shape = model.transform.shape(model.preprocessing.shape)
    batch = np.random.default_rng(0).integers(0, 256, (_PICTURES, *model.preprocessing.shape), dtype=np.uint8)
    x = model.blob(batch)
    with model.open("torch") as session:
        shapes = {name: array.shape for name, array in session.forward(**{model.input: x[:1]}).items()}
        values = session.forward(**{model.input: x})
        written = _model(model, shapes, session.params, session.outputs, shape)
        expected = {name: values[name] for name in session.outputs}
    more = worth.expected(model, values)
    onnx.checker.check_model(written)
    data = written.SerializeToString(deterministic=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    running = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in running.get_outputs()]
    found = dict(zip(names, running.run(names, {model.input: x}), strict=True))
    worst = max(_difference(found[name], expected[name]) for name in expected)
    loose = max((_difference(found[name], more[name]) for name in more), default=0.0)
    if not loose <= _LOOSE:
        raise FindingError(
            f"{model.name} as ONNX gives another confidence or distance: {loose:.1e}; nothing was written"
        )
    if not worst <= TOLERANCE:
        raise FindingError(
            f"{model.name} as ONNX differs by {worst:.1e} of the greatest value, expected {TOLERANCE:.0e} at most; "
            "nothing was written"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
    return worst


def _model(
    model: Model,
    shapes: dict[str, tuple[int, ...]],
    params: Any,
    outputs: tuple[str, ...],
    shape: tuple[int, ...],
) -> onnx.ModelProto:
    from onnx import TensorProto, helper

    spec = build(model.net, phase="TEST", source=model.source)
    writers: dict[str, list[str]] = {}
    for layer in spec.layers:
        for top in layer.tops:
            writers.setdefault(top, []).append(layer.name)
    graph = Graph(shapes=shapes, params=params, writers=writers, values={model.input: model.input})
    for layer in spec.layers:
        if layer.type != "Input":
            translate(graph, layer)
    sizes: dict[str, list[str | int | None]] = {
        worth.CALIBRATED: ["N", len(model.classes or ())],
        worth.DISTANCE: ["N"],
    }
    more = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes[name]) for name in worth.add(graph, model)]
    made = helper.make_graph(
        graph.nodes,
        spec.name or "net",
        [helper.make_tensor_value_info(model.input, TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shapes[name][1:]]) for name in outputs] + more,
        graph.initializers,
    )
    whole = helper.make_model(made, producer_name="wf", opset_imports=[helper.make_opsetid("", OPSET)])
    whole.ir_version = _IR
    words = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in facts(model).items()
        if value is not None
    }
    helper.set_model_props(whole, words)
    return whole


def _difference(found: Array, expected: NDArray[np.floating]) -> float:
    return float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1e-12)
