"""Crops that align one blob with another, beside real Caffe's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_scripts import assert_same, run_ours

from workflow.pycaffe import coord_map, layers

MAPS = """
from caffe import layers as L
from caffe.coord_map import coord_map_from_to, crop

def note(name, found):
    axis, scale, shift = found
    result[name] = np.concatenate([[-1 if axis is None else axis], np.atleast_1d(scale), np.atleast_1d(shift)])

data = L.Input(shape=dict(dim=[1, 3, 50, 50]))
conv = L.Convolution(data, num_output=4, kernel_size=3, pad=100)
pool = L.Pooling(L.ReLU(conv, in_place=True), kernel_size=2, stride=2)
up = L.Deconvolution(pool, convolution_param=dict(num_output=4, kernel_size=4, stride=2))
score = crop(up, data)
result['offset'] = np.array(score.fn.params['crop_param']['offset'])
result['axis'] = np.array(score.fn.params['crop_param']['axis'])
note('itself', coord_map_from_to(data, data))
note('pooled', coord_map_from_to(pool, data))
note('back', coord_map_from_to(data, pool))
note('cropped', coord_map_from_to(score, data))
note('given offset', coord_map_from_to(L.Crop(data, pool, offset=[3, 4]), data))
wide = L.Convolution(data, num_output=4, kernel_size=[3, 5], stride=[2, 1], pad=[0, 2], dilation=2)
note('wide', coord_map_from_to(wide, up))
for name, one, other in (('scale', data, pool), ('negative', conv, L.Convolution(data, kernel_size=1, pad=101)),
                         ('half', data, L.Convolution(data, kernel_size=2, pad=1)), ('other', data, L.Input())):
    try:
        crop(one, other)
        told = 'cropped'
    except (AssertionError, RuntimeError) as error:
        told = ' '.join(kind.__name__ for kind in (AssertionError, RuntimeError) if isinstance(error, kind))
    result[name] = np.array(told)
"""


@pytest.mark.caffe
def test_the_same_maps_and_crops(project, real_caffe):
    assert_same(run_ours(MAPS, {}), real_caffe(MAPS))


def test_the_offset_of_a_fully_convolutional_net():
    data = layers.Input()
    up = layers.Deconvolution(
        layers.Pooling(layers.Convolution(data, kernel_size=3, pad=100), kernel_size=2, stride=2),
        convolution_param={"kernel_size": 4, "stride": 2},
    )
    assert coord_map.crop(up, data).fn.params["crop_param"] == {"axis": 2, "offset": [100]}


def test_channels_are_cropped_where_channels_were():
    data, other = layers.Input(), layers.Input()
    cut = layers.Crop(data, other, axis=1, offset=[1, 2, 3])
    assert coord_map.crop(data, cut).fn.params["crop_param"] == {"axis": 1, "offset": [1, 2, 3]}


def test_layers_that_mix_pixels_have_no_map():
    data = layers.Input()
    with pytest.raises(RuntimeError, match="connected by spatial layers"):
        coord_map.crop(layers.InnerProduct(data), data)
    with pytest.raises(coord_map.AxisMismatchException):
        coord_map.compose((1, 1, 0), (2, 1, 0))
