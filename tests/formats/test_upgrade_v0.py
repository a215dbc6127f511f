from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import PrototxtError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net, write
from workflow.formats.upgrade import upgrade_net
from workflow.formats.upgrade_error import UpgradeError
from workflow.formats.upgrade_v0 import V0_TYPES, v0_to_v1

V0_NET = """name: "older" input: "data" input_dim: [2, 3, 7, 5]
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 stride: 2 biasterm: true
    weight_filler { type: "constant" value: 0.5 } bias_filler { type: "constant" value: 2 }
    blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 } bottom: "pad1" top: "conv1" }
layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 2 stride: 1 } bottom: "conv1" top: "pool1" }
layers { layer { name: "norm1" type: "lrn" local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } bottom: "pool1" top: "norm1" }
layers { layer { name: "drop1" type: "dropout" dropout_ratio: 0.25 } bottom: "norm1" top: "norm1" }
layers { layer { name: "cat" type: "concat" concat_dim: 1 } bottom: "norm1" bottom: "pool1" top: "cat" }
layers { layer { name: "ip" type: "innerproduct" num_output: 6 biasterm: false
    weight_filler { type: "constant" value: 0.1 } } bottom: "cat" top: "ip" }
layers { layer { name: "prob" type: "softmax" } bottom: "ip" top: "prob" }
"""


def convert(text: str) -> caffe_pb2.NetParameter:
    return v0_to_v1(parse(text, caffe_pb2.NetParameter))


def one(fields: str) -> caffe_pb2.V1LayerParameter:
    return convert(f'layers {{ layer {{ name: "x" {fields} }} }}').layers[0]


def test_every_type_is_one_of_v1():
    assert set(V0_TYPES.values()) <= set(caffe_pb2.V1LayerParameter.LayerType.keys())
    assert len(set(V0_TYPES.values())) == len(V0_TYPES) == 24


def test_padding_moves_into_its_reader():
    net, notes = upgrade_net(parse(V0_NET, caffe_pb2.NetParameter))
    assert [layer.name for layer in net.layer] == (
        ["input", "conv1", "relu1", "pool1", "norm1", "drop1", "cat", "ip", "prob"]
    )
    assert (list(net.layer[1].bottom), list(net.layer[1].convolution_param.pad)) == (["data"], [2])
    assert notes == ("V0 layers", "input fields")


def test_a_pooling_layer_takes_padding_too():
    net = convert(
        """layers { layer { name: "p" type: "padding" pad: 1 } bottom: "a" top: "p" }
           layers { layer { name: "x" type: "pool" } bottom: "p" top: "x" }"""
    )
    assert (len(net.layers), net.layers[0].pooling_param.pad) == (1, 1)


def test_padding_that_nothing_can_take_over():
    text = """layers { layer { name: "p" type: "padding" pad: 1 } bottom: "a" top: "p" }
              layers { layer { name: "x" type: "relu" } bottom: "p" top: "x" }"""
    with pytest.raises(UpgradeError, match="padding layer 'p' is read by 'x' \\(relu\\), expected conv or pool"):
        convert(text)


def test_an_unknown_type_lists_the_known():
    with pytest.raises(UpgradeError, match="unknown old type 'convolution'") as caught:
        one('type: "convolution"')
    assert "conv, data" in caught.value.hint


@pytest.mark.parametrize(
    ("fields", "block", "expected"),
    [
        ('type: "data" source: "s" batchsize: 4 rand_skip: 2', "data_param", "source: 's' batch_size: 4 rand_skip: 2"),
        (
            'type: "images" source: "s" batchsize: 4 shuffle_images: true new_height: 7 new_width: 5',
            "image_data_param",
            "source: 's' batch_size: 4 shuffle: true new_height: 7 new_width: 5",
        ),
        ('type: "hdf5_data" source: "s" batchsize: 4', "hdf5_data_param", "source: 's' batch_size: 4"),
        (
            """type: "window_data" source: "s" det_fg_threshold: 0.1 det_bg_threshold: 0.2 det_fg_fraction: 0.3
               det_context_pad: 4 det_crop_mode: "square" """,
            "window_data_param",
            "source: 's' fg_threshold: 0.1 bg_threshold: 0.2 fg_fraction: 0.3 context_pad: 4 crop_mode: 'square'",
        ),
        ('type: "infogain_loss" source: "s"', "infogain_loss_param", "source: 's'"),
        ('type: "hdf5_output" hdf5_output_param { file_name: "f" }', "hdf5_output_param", "file_name: 'f'"),
        ('type: "conv" group: 2', "convolution_param", "group: 2"),
        ('type: "pool" pool: STOCHASTIC', "pooling_param", "pool: STOCHASTIC"),
        (
            'type: "data" scale: 2 meanfile: "m" cropsize: 5 mirror: true',
            "transform_param",
            "scale: 2 mean_file: 'm' crop_size: 5 mirror: true",
        ),
    ],
)
def test_fields_find_their_block(fields, block, expected):
    got = getattr(one(fields), block)
    assert got == parse(expected, type(got))


def test_a_field_that_means_nothing_is_mentioned(caplog):
    layer = one('type: "relu" kernelsize: 3')
    assert not layer.HasField("pooling_param")
    assert "'kernelsize' has no meaning for the old type 'relu'" in caplog.text


@pytest.mark.caffe
def test_real_caffe_builds_the_same_net_from_old_and_upgraded_text(tmp_path, real_caffe):
    (tmp_path / "old.prototxt").write_text(V0_NET)
    write(tmp_path / "new.prototxt", read_net(tmp_path / "old.prototxt"))
    snippet = """
for name in ('old', 'new'):
    net = caffe.Net(name + '.prototxt', caffe.TEST)
    net.blobs['data'].data[...] = given['data']
    net.forward()
    result[name] = net.blobs['ip'].data.copy()
    net.save('saved')
    result[name + ' saved'] = np.frombuffer(open('saved', 'rb').read(), np.uint8)
"""
    data = np.random.default_rng(3).normal(size=(2, 3, 7, 5)).astype(np.float32)
    result = real_caffe(snippet, data=data)
    np.testing.assert_array_equal(result["old saved"], result["new saved"])
    np.testing.assert_array_equal(result["old"], result["new"])
    assert result["old"].any()


def test_an_unknown_type_is_told_with_its_place(tmp_path):
    (tmp_path / "old.prototxt").write_text(
        'layers { layer { name: "a" type: "relu" } }\nlayers { layer { name: "b" type: "convv" } }'
    )
    with pytest.raises(PrototxtError, match="layer 'b': unknown old type 'convv'") as caught:
        read_net(tmp_path / "old.prototxt")
    assert (caught.value.at.line, caught.value.at.column) == (2, 28)
    assert caught.value.hint == "did you mean 'conv'?"
