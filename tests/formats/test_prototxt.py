from __future__ import annotations

import logging

import numpy as np
import pytest

from workflow.errors import EnvironmentFault, PrototxtError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import locate, locate_layer, parse, read_net, read_solver, render, write

NET = """name: "n"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } } }
layer {
  name: "pool"
  type: "Pooling" bottom: "data" top: "pool"
  pooling_param { kernel_h: 3 kernel_w: 2 }
}
"""


def failure(text: str, kind=caffe_pb2.LayerParameter) -> PrototxtError:
    with pytest.raises(PrototxtError) as caught:
        parse(text, kind, source="x.prototxt")
    assert caught.value.at.line >= 1
    assert caught.value.at.column >= 1
    return caught.value


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("loss_weight: 1.5f", "loss_weight", [1.5]),
        ("loss_weight: 1e-2, loss_weight: -inf; loss_weight: .5", "loss_weight", [np.float32(0.01), -np.inf, 0.5]),
        ("propagate_down: [true, True, t, 1, false, False, f, 0]", "propagate_down", [True] * 4 + [False] * 4),
        ("name: 'a' \"b\" # and a comment", "name", "ab"),
        ('name: "\\303\\251\\n"', "name", "é\n"),
        ("phase: TEST", "phase", caffe_pb2.TEST),
        ("phase: 0x1", "phase", caffe_pb2.TEST),
        ("bottom: 'a' bottom: ['b', 'c']", "bottom", ["a", "b", "c"]),
    ],
)
def test_values_are_written_as_caffe_reads_them(text, field, value):
    got = getattr(parse(text, caffe_pb2.LayerParameter), field)
    assert (list(got) if isinstance(value, list) else got) == value


@pytest.mark.parametrize("text", ["convolution_param < pad: 010 >", "convolution_param: { pad: [0x8] }"])
def test_octal_hexadecimal_and_both_kinds_of_braces(text):
    assert list(parse(text, caffe_pb2.LayerParameter).convolution_param.pad) == [8]


def test_a_list_of_blocks():
    layer = parse("include: [{phase: TRAIN}, {stage: 'x'}]", caffe_pb2.LayerParameter)
    assert [rule.HasField("phase") for rule in layer.include] == [True, False]


def test_x01_unknown_field_says_where_and_what_was_meant():
    error = failure('name: "conv1"\nconvolution_param {\n  kernal_size: 5\n}')
    assert str(error) == (
        "unknown field 'kernal_size' in ConvolutionParameter\n --> x.prototxt:3:3\nhint: did you mean 'kernel_size'?"
    )
    assert error.fault == "X01"
    assert error.exit_code == 2


def test_x01_unknown_enum_value_names_the_closest():
    error = failure("pooling_param {\n  pool: AVERAGE\n}")
    assert (error.at.line, error.at.column) == (2, 9)
    assert error.message == "AVERAGE is not a value of PoolingParameter.PoolMethod"
    assert error.hint == "did you mean 'AVE'?"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('name: "a"\n  name: "b"', 2, 3, "field 'name' given twice, first on line 1"),
        ("relu_param {}\nrelu_param {}", 2, 1, "field 'relu_param' given twice, first on line 1"),
        ("include { phase: TRAIN\n phase: TRAIN }", 2, 2, "field 'phase' given twice, first on line 1"),
        ("relu_param {\n  negative_slope: 1", 1, 12, "'{' is never closed"),
        ("relu_param < negative_slope: 1 }", 1, 32, "'}' closes '<'"),
        ('name: "a" }', 1, 11, "'}' closes nothing"),
        ('name: "a\n type: "b"', 1, 7, "a string is never closed"),
        ('name: "\\q"', 1, 7, "a backslash with a character that it does not go with"),
        ("loss_weight: 1_0", 1, 14, "'1_0' is not a number"),
        ("clip_param {\n min: 1 }", 1, 1, "'max' is missing in clip_param"),
    ],
)
def test_x02_given_twice_or_never_closed(text, line, column, message):
    error = failure(text)
    assert (error.message, error.at.line, error.at.column, error.fault) == (message, line, column, "X02")


@pytest.mark.parametrize(
    "text",
    [
        "convolution_param { pad: -1 }",
        "loss_weight: 010",
        "phase: test",
        'phase: "TEST"',
        "name: a",
        'name "a"',
        "convolution_param { kernel_size: 3.0 }",
        "convolution_param { kernel_size: 99999999999 }",
        "propagate_down: 2",
        "propagate_down: yes",
        "[extension]: 1",
        "loss_weight: 1e",
        "100: 1",
        "name: \x00",
    ],
)
def test_what_caffe_refuses_is_refused_with_a_position(text):
    failure(text)


@pytest.mark.parametrize("text", ["layer {" * 3000, "layers { layer {" * 51, "layer <" * 101])
def test_x03_deep_nesting(text):
    error = failure(text, caffe_pb2.NetParameter)
    assert error.message == "x.prototxt nests deeper than 100"
    assert error.fault == "X03"


@pytest.mark.parametrize("text", ["#" * (2**20 + 1), "# é" * 2**19])
def test_x03_large_text(text):
    assert "larger than 1048576 bytes" in failure(text).message


def test_x03_large_file(text_file):
    with pytest.raises(PrototxtError, match="larger than 1048576 bytes"):
        read_net(text_file("net.prototxt", b"#" * (2**20 + 1)))


def test_x08_old_format_is_read_as_if_upgraded_and_said_once(text_file, caplog):
    path = text_file("old.prototxt", 'layers { name: "p" type: POWER bottom: "x" top: "y" }')
    with caplog.at_level(logging.WARNING, "workflow"):
        net = read_net(path)
        assert read_net(path) == net
    assert (net.layer[0].type, len(net.layers)) == ("Power", 0)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is in an old format (V1 layers); upgraded while reading"
    ]


def test_a_modern_net_is_read_without_a_word(text_file, caplog):
    net = read_net(text_file("net.prototxt", NET))
    assert [layer.name for layer in net.layer] == ["data", "pool"]
    assert not caplog.records


@pytest.mark.parametrize("text", ["", "  # nothing\n", 'name: "n"'])
def test_a_net_without_layers_is_refused(text_file, text):
    with pytest.raises(PrototxtError, match="has no layers"):
        read_net(text_file("net.prototxt", text))


def test_an_empty_solver_is_refused(text_file):
    with pytest.raises(PrototxtError, match="is empty"):
        read_solver(text_file("solver.prototxt", "\n"))


def test_a_net_read_as_solver_says_so(text_file):
    with pytest.raises(PrototxtError, match="NetParameter: is this the right file"):
        read_solver(text_file("net.prototxt", NET[10:]))


def test_solver_type_is_upgraded(text_file, caplog):
    solver = read_solver(text_file("solver.prototxt", 'net: "n"\nsolver_type: ADAGRAD'))
    assert (solver.type, solver.HasField("solver_type")) == ("AdaGrad", False)
    assert "(solver_type)" in caplog.text


def test_both_solver_types_are_refused_where_the_old_one_stands(text_file):
    path = text_file("solver.prototxt", 'type: "Adam"\nsolver_type: ADAM')
    with pytest.raises(PrototxtError, match="cannot be used together") as caught:
        read_solver(path)
    assert str(caught.value.at) == f"{path}:2:1"


def test_layer_and_layers_are_refused_where_the_old_one_stands(text_file):
    path = text_file("net.prototxt", NET + 'layers { name: "x" type: RELU }')
    with pytest.raises(PrototxtError, match="'layer' and 'layers'") as caught:
        read_net(path)
    assert str(caught.value.at) == f"{path}:9:1"


def test_not_utf8_says_where(text_file):
    path = text_file("net.prototxt", b'name: "a"\n# caf\xe9')
    with pytest.raises(PrototxtError, match="not UTF-8") as caught:
        read_net(path)
    assert str(caught.value.at) == f"{path}:2:6"


def test_a_byte_order_mark_and_crlf_are_no_obstacle(text_file):
    path = text_file("net.prototxt", b"\xef\xbb\xbf" + NET.replace("\n", "\r\n").encode())
    assert len(read_net(path).layer) == 2


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PrototxtError, match="does not exist"):
        read_net(tmp_path / "none.prototxt")
    with pytest.raises(PrototxtError, match="is a folder, expected a file"):
        read_net(tmp_path)


def test_rendering_loses_nothing(tmp_path):
    layer = caffe_pb2.LayerParameter(name='é"\\\n', phase=caffe_pb2.TEST, loss_weight=[0.1, 1e-5, 1 / 3, np.inf])
    assert parse(render(layer), caffe_pb2.LayerParameter) == layer
    assert "loss_weight: 0.1\n" in render(layer)
    write(tmp_path / "layer.prototxt", layer)
    assert parse((tmp_path / "layer.prototxt").read_text(encoding="utf-8"), caffe_pb2.LayerParameter) == layer


def test_writing_into_a_missing_folder_is_the_callers_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write(tmp_path / "none" / "net.prototxt", caffe_pb2.NetParameter())


def test_locate_finds_fields_and_falls_back_to_their_block(text_file):
    path = text_file("net.prototxt", NET)
    assert str(locate(path, "layer", 1, "pooling_param", 0, "kernel_w", 0)) == f"{path}:7:31"
    assert str(locate(path, "layer", 1, "pooling_param", 0, "stride", 0)) == f"{path}:7:3"
    assert str(locate_layer(path, "pool")) == f"{path}:4:1"
    assert str(locate_layer(path, "pool", "top", 0)) == f"{path}:6:34"
    assert str(locate_layer(path, "nobody")) == str(path)
    assert str(locate(path.parent / "none", "layer", 0)) == str(path.parent / "none")


def test_locate_layer_knows_old_nets(text_file):
    path = text_file("v0.prototxt", 'layers {\n layer { name: "a" type: "relu" } }\nlayers { name: "b" }')
    assert (locate_layer(path, "a").line, locate_layer(path, "b").line) == (1, 3)


def test_real_nets_and_solvers_render_to_themselves(shared_data):
    paths = sorted(shared_data.glob("models/*/*.prototxt"))
    assert len(paths) > 8
    for path in paths:
        message = read_solver(path) if "solver" in path.name else read_net(path)
        assert parse(render(message), type(message)) == message


def test_a_file_that_cannot_be_read_is_the_systems_fault(text_file, monkeypatch):
    path = text_file("net.prototxt", NET)

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        read_net(path)


CASES = [
    "dim: 2 dim: 3",
    "dim: 010 dim: 0x10",
    "dim: [2, 3]",
    "dim: 2, dim: 3;",
    "dim: [ ]",
    "dim: 2 dim: 3.0",
    "dim: 08",
    "dim: 1_0",
    "dim: 2 } shape < dim: 3 >  shape {",
    "dim: 2 } } input_param { shape {",
    "dim: 2 # } \n",
    "dim: 2 dime: 3",
    "dim: '2'",
]


@pytest.mark.caffe
def test_real_caffe_accepts_and_refuses_the_same(tmp_path, real_caffe):
    """Each text is a net; Caffe reads it in a forked child, which dies where the text is refused."""
    head, tail = 'layer { name: "d" type: "Input" top: "d" input_param { shape {', "} } }"
    nets = [f"{head} {case} {tail}" for case in CASES]
    for index, net in enumerate(nets):
        (tmp_path / f"{index}.prototxt").write_text(net)
    snippet = """
import os, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def shape(name):
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        net = caffe.Net(name, caffe.TEST)
        os.write(write, repr(tuple(net.blobs['d'].shape)).encode())
        os._exit(0)
    _, status = os.wait()
    os.close(write)
    return os.read(read, 1000).decode() if status == 0 else 'refused'
result['shapes'] = np.array([shape('%d.prototxt' % k) for k in range(int(given['count']))])
"""
    shapes = real_caffe(snippet, count=np.array(len(CASES)))["shapes"]
    ours = []
    for net in nets:
        try:
            first = parse(net, caffe_pb2.NetParameter).layer[0].input_param.shape[0]
            ours.append(repr(tuple(first.dim)))
        except PrototxtError:
            ours.append("refused")
    # Caffe itself stops at a second shape for one top, which is no matter of the text.
    same = [index for index in range(len(CASES)) if index != 8]
    assert [ours[index] for index in same] == [str(shapes[index]) for index in same]
    assert ours.count("refused") == 6
