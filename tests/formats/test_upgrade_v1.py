from __future__ import annotations

import numpy as np
import pytest

from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net, write
from workflow.formats.upgrade import upgrade_net
from workflow.formats.upgrade_v1 import V1_TYPES, v1_to_v2

V1_NET = """name: "old" input: "data" input_dim: [2, 3, 7, 5]
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" param: "w" param: "b" blob_share_mode: PERMISSIVE
  blobs_lr: 1 blobs_lr: 2 weight_decay: 3
  convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 stride: 1 weight_filler { type: "constant" value: 0.5 } } }
layers { name: "lrn" type: LRN bottom: "conv" top: "lrn" lrn_param { local_size: 3 } }
layers { name: "drop" type: DROPOUT bottom: "lrn" top: "lrn" include { phase: TRAIN } }
layers { name: "label" type: DUMMY_DATA top: "label" dummy_data_param { num: 2 channels: 1 height: 1 width: 1 } }
layers { name: "ip" type: INNER_PRODUCT bottom: "lrn" top: "ip" blobs_lr: 5 inner_product_param { num_output: 6 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "label" top: "loss" loss_weight: 0.5 }
"""


def upgraded(text: str) -> list[caffe_pb2.LayerParameter]:
    return list(upgrade_net(parse(text, caffe_pb2.NetParameter))[0].layer)


def test_every_type_has_a_name_of_today():
    assert set(V1_TYPES) == set(caffe_pb2.V1LayerParameter.LayerType.keys())


def test_every_field_has_a_place_of_today():
    """All but the old layer inside, and what becomes `param`."""
    moved = {"layer", "blobs_lr", "weight_decay", "param", "blob_share_mode", "type"}
    old = caffe_pb2.V1LayerParameter.DESCRIPTOR.fields_by_name
    new = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
    for name in set(old) - moved:
        assert (old[name].message_type, old[name].is_repeated) == (new[name].message_type, new[name].is_repeated)


def test_four_lists_become_params_index_by_index():
    conv = upgraded(V1_NET)[1]
    assert [(param.name, param.share_mode, param.lr_mult, param.decay_mult) for param in conv.param] == [
        ("w", caffe_pb2.ParamSpec.PERMISSIVE, 1, 3),
        ("b", caffe_pb2.ParamSpec.STRICT, 2, 1),
    ]
    assert not conv.param[1].HasField("decay_mult")


@pytest.mark.parametrize(
    ("kind", "block"),
    [("DATA", "data_param"), ("IMAGE_DATA", "image_data_param"), ("WINDOW_DATA", "window_data_param")],
)
def test_data_transforms_move(kind, block):
    text = f'layers {{ type: {kind} {block} {{ source: "s" scale: 2 mean_file: "m" crop_size: 5 mirror: true }} }}'
    (layer,) = upgraded(text)
    transform = layer.transform_param
    assert (transform.scale, transform.mean_file, transform.crop_size, transform.mirror) == (2, "m", 5, True)
    assert [field.name for field, _ in getattr(layer, block).ListFields()] == ["source"]


def test_data_transforms_of_today_stay_where_caffe_ignores_them():
    (layer,) = upgraded('layer { type: "Data" data_param { scale: 2 } }')
    assert (layer.data_param.scale, layer.HasField("transform_param")) == (2, False)


def test_blobs_come_along():
    old = caffe_pb2.NetParameter()
    old.layers.add(type=caffe_pb2.V1LayerParameter.INNER_PRODUCT).blobs.add(data=[1, 2], num=1)
    assert list(v1_to_v2(old).layer[0].blobs[0].data) == [1, 2]


@pytest.mark.caffe
def test_real_caffe_builds_the_same_net_from_old_and_upgraded_text(tmp_path, real_caffe):
    (tmp_path / "old.prototxt").write_text(V1_NET)
    write(tmp_path / "new.prototxt", read_net(tmp_path / "old.prototxt"))
    snippet = """
for name in ('old', 'new'):
    for phase in (caffe.TRAIN, caffe.TEST):
        net = caffe.Net(name + '.prototxt', phase)
        for blobs in net.params.values():
            for k, blob in enumerate(blobs):
                blob.data[...] = 0.1 * k
        net.save('saved')
        result['%s%d' % (name, phase)] = np.frombuffer(open('saved', 'rb').read(), np.uint8)
"""
    saved = real_caffe(snippet)
    np.testing.assert_array_equal(saved["old0"], saved["new0"])
    np.testing.assert_array_equal(saved["old1"], saved["new1"])
    assert saved["old0"].size > saved["old1"].size  # the dropout layer of the training net
