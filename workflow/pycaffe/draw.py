"""Drawings of nets by Graphviz: `caffe.draw`. Needs the package pydot, and Graphviz's `dot` to make pictures.

Source of the behaviour: python/caffe/draw.py of BVLC Caffe.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.errors import EngineMissing
from workflow.formats import caffe_pb2
from workflow.net.rules import State, included

if TYPE_CHECKING:
    import pydot

_LAYER = {"shape": "record", "fillcolor": "#6495ED", "style": "filled"}
_IN_PLACE = _LAYER | {"fillcolor": "#90EE90"}
_BLOB = {"shape": "octagon", "fillcolor": "#E0E0E0", "style": "filled"}
_COLOURS = {
    "Convolution": "#FF5050",
    "Deconvolution": "#FF5050",
    "Pooling": "#FF9900",
    "InnerProduct": "#CC33FF",
}
_Layer = caffe_pb2.LayerParameter


def get_pooling_types_dict() -> dict[int, str]:
    """Number of a pooling method -> its name."""
    return {number: name for name, number in caffe_pb2.PoolingParameter.PoolMethod.items()}


def get_edge_label(layer: _Layer) -> str:
    """The label of the arrow from a layer to its top: its number of channels, where that is set."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    if layer.type in ("Convolution", "Deconvolution"):
        return str(layer.convolution_param.num_output)
    if layer.type == "InnerProduct":
        return str(layer.inner_product_param.num_output)
    return '""'


def get_layer_lr_mult(layer: _Layer) -> tuple[float, float]:
    """lr_mult of weights and of biases; 1 where nothing is said."""
    rates = [param.lr_mult for param in layer.param[:2]] + [1.0, 1.0]
    return rates[0], rates[1]


def get_layer_label(layer: _Layer, rankdir: str, display_lrm: bool = False) -> str:
    """The label of a layer's box: name, type and, where it has them, window and rates.

    Args:
        layer: the layer.
        rankdir: TB or BT have room beside each other, LR below each other.
        display_lrm: also lr_mult of layers that learn.
    """
    parts = [layer.name, f"({layer.type})"]
    if layer.type == "Pooling":
        parts[1] = f"({layer.type} {get_pooling_types_dict()[layer.pooling_param.pool]})"
        pool = layer.pooling_param
        parts += [f"kernel size: {pool.kernel_size}", f"stride: {pool.stride}", f"pad: {pool.pad}"]
    elif layer.type in ("Convolution", "Deconvolution"):
        conv = layer.convolution_param
        kernel, stride, pad = (
            (list(given) or [default])[0] for given, default in ((conv.kernel_size, 1), (conv.stride, 1), (conv.pad, 0))
        )
        parts += [f"kernel size: {kernel}", f"stride: {stride}", f"pad: {pad}"]
    if display_lrm and layer.type in ("Convolution", "Deconvolution", "InnerProduct") and any(get_layer_lr_mult(layer)):
        weights, biases = get_layer_lr_mult(layer)
        parts.append(f"lr mult: {weights:.1f}, {biases:.1f}")
    return '"' + (" " if rankdir in ("TB", "BT") else r"\n").join(parts) + '"'


def choose_color_by_layertype(layertype: str) -> str:
    """The fill of a layer's box, as `#RRGGBB`."""
    return _COLOURS.get(layertype, _LAYER["fillcolor"])


def get_pydot_graph(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    label_edges: bool = True,
    phase: int | None = None,
    display_lrm: bool = False,
) -> pydot.Dot:
    """The net as a graph of layers (boxes) and blobs (octagons).

    Args:
        caffe_net: the net.
        rankdir: direction of the graph: LR, TB or BT.
        label_edges: write the number of channels on arrows.
        phase: layers of this phase only (`caffe.TRAIN`, `caffe.TEST`); all if None.
        display_lrm: write lr_mult into layers that learn.

    Raises:
        EngineMissing: pydot is not installed.
        NetError: a layer has both include and exclude rules.
    """
    dot = _pydot()
    graph: pydot.Dot = dot.Dot(_quoted(caffe_net.name or "Net"), graph_type="digraph", rankdir=rankdir)
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str, str]] = []
    for layer in caffe_net.layer:
        if phase is not None and not included(layer, State(phase=phase)):
            continue
        box = f"{layer.name}_{layer.type}"
        in_place = len(layer.bottom) == len(layer.top) == 1 and layer.bottom[0] == layer.top[0]
        style = _IN_PLACE if in_place else _LAYER | {"fillcolor": choose_color_by_layertype(layer.type)}
        nodes[box] = {"label": get_layer_label(layer, rankdir, display_lrm)} | style
        for blob in (*layer.bottom, *layer.top):
            nodes[f"{blob}_blob"] = {"label": _quoted(blob)} | _BLOB
        label = get_edge_label(layer) if label_edges else '""'
        edges += [(f"{blob}_blob", box, '""') for blob in layer.bottom]
        edges += [(box, f"{blob}_blob", label) for blob in layer.top]
    for name, attributes in nodes.items():
        graph.add_node(dot.Node(_quoted(name), **attributes))
    for start, end, label in edges:
        graph.add_edge(dot.Edge(_quoted(start), _quoted(end), label=_quoted(label)))
    return graph


def draw_net(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    ext: str = "png",
    phase: int | None = None,
    display_lrm: bool = False,
) -> bytes:
    """The drawing as a file of format `ext`; `raw` is Graphviz's own text, which needs no `dot`.

    Raises:
        EngineMissing: pydot or Graphviz is not installed.
    """
    graph = get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm)
    if ext == "raw":
        text: str = graph.to_string()
        return text.encode()
    try:
        drawn: Any = graph.create(format=ext)
    except OSError as error:
        raise EngineMissing(
            "drawing a net needs Graphviz's program 'dot'", hint="install graphviz, or draw to a file ending in .raw"
        ) from error
    return bytes(drawn)


def draw_net_to_file(
    caffe_net: caffe_pb2.NetParameter,
    filename: str,
    rankdir: str = "LR",
    phase: int | None = None,
    display_lrm: bool = False,
) -> None:
    """Write the drawing; the file's ending is the format."""
    path = Path(filename)
    path.write_bytes(draw_net(caffe_net, rankdir, path.suffix.lstrip("."), phase, display_lrm))


def _quoted(text: str) -> str:
    return text if text.startswith('"') else f'"{text}"'


def _pydot() -> Any:
    try:
        import pydot
    except ImportError as error:
        raise EngineMissing("caffe.draw needs the package 'pydot'", hint="pip install pydot") from error
    return pydot
