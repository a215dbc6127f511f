from __future__ import annotations

import logging

import pytest

from workflow.errors import PrototxtError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net, render

POOL = """layer { name: "p" type: "Pooling" bottom: "x" top: "y"
  pooling_param { kernel_size: 3 stride: 2 CEIL } }"""


@pytest.mark.parametrize(
    ("written", "mode"), [("ceil_mode: false", "FLOOR"), ("ceil_mode: 0", "FLOOR"), ("ceil_mode: true", "CEIL")]
)
def test_ceil_mode_is_obeyed_in_words_that_caffe_knows(written, mode):
    net = parse(POOL.replace("CEIL", written), caffe_pb2.NetParameter)
    assert caffe_pb2.PoolingParameter.RoundMode.Name(net.layer[0].pooling_param.round_mode) == mode
    assert "ceil_mode" not in render(net)


def test_ceil_mode_of_an_old_net_and_of_several_layers():
    old = POOL.replace("layer", "layers").replace('"Pooling"', "POOLING")
    net = parse(old.replace("CEIL", "ceil_mode: false") + old.replace("CEIL", ""), caffe_pb2.NetParameter)
    assert [one.pooling_param.round_mode for one in net.layers] == [caffe_pb2.PoolingParameter.FLOOR, 0]


FORKED = """engine: "MKL2017" default_forward_type: FLOAT16
compile_net_state { bn_scale_merge: true kept_bn_layers: "a" }
layer { name: "c" type: "Convolution" bottom: "x" top: "y" forward_type: FLOAT16 engine: "MKLDNN"
  transform_param { distort_param { brightness_prob: 0.5 } scale: 2 }
  convolution_param { num_output: 4 engine: MKL2017 conv_algos_override: "1" conv_algos_override: "2" kernel_size: 3 } }
"""


def test_fields_that_change_no_answer_are_ignored_with_one_warning(tmp_path, caplog):
    path = tmp_path / "net.prototxt"
    path.write_text(FORKED)
    with caplog.at_level(logging.WARNING, "workflow"):
        net = read_net(path)
        read_net(path)
    layer = net.layer[0]
    assert (layer.convolution_param.num_output, layer.convolution_param.kernel_size, layer.transform_param.scale) == (
        4,
        [3],
        2,
    )
    assert len(caplog.records) == 1
    assert "ignored: engine, default_forward_type, compile_net_state" in caplog.text


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("batch_norm_param { scale_bias: true }", "of NVIDIA's Caffe, which changes what the net computes"),
        ("quantization_param { bw_params: 8 }", "of Ristretto"),
    ],
)
def test_fields_that_change_answers_are_refused_by_their_own_name(field, words):
    with pytest.raises(PrototxtError, match="unknown field") as caught:
        parse(f'engine: "MKL" layer {{ {field} }}', caffe_pb2.NetParameter)
    assert words in caught.value.hint


def test_a_typing_error_beside_a_forks_field_is_an_error_still():
    with pytest.raises(PrototxtError, match="unknown field 'kernal_size' in PoolingParameter") as caught:
        parse("layer { pooling_param {\n ceil_mode: false kernal_size: 3 } }", caffe_pb2.NetParameter)
    assert caught.value.hint == "did you mean 'kernel_size'?"
    assert (caught.value.at.line, caught.value.at.column) == (2, 19)


def test_other_checks_hold_beside_a_forks_field():
    with pytest.raises(PrototxtError, match="field 'name' given twice"):
        parse('engine: "MKL" layer { name: "a" name: "b" }', caffe_pb2.NetParameter)
    with pytest.raises(PrototxtError, match="SUM2"):
        parse('engine: "MKL" layer { eltwise_param { operation: SUM2 } }', caffe_pb2.NetParameter)
