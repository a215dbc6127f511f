from __future__ import annotations

import numpy as np
import pytest
import torch
from one_layer import make

from workflow.errors import NetError

TEXT = 'name: "d" type: "Dropout" bottom: "x" top: "y" dropout_param { dropout_ratio: 0.3 }'


def test_keeps_its_share_and_scales_it():
    x = torch.ones(200, 500)
    y = make(TEXT).forward(x)
    kept = (y != 0).float().mean().item()
    assert kept == pytest.approx(0.7, abs=0.01)
    assert torch.unique(y).tolist() == pytest.approx([0, 1 / 0.7])


def test_the_mask_is_a_function_of_seed_and_position():
    x = torch.ones(50, 20)
    layer = make(TEXT)
    layer.seed, layer.position = 7, 3
    first = layer.forward(x)
    assert torch.equal(first, layer.forward(x))
    layer.position = 4
    assert not torch.equal(first, layer.forward(x))


def test_gradient_goes_through_the_same_mask(one_layer, x):
    applied = one_layer(TEXT, x, top_diffs=[np.ones_like(x)])
    np.testing.assert_allclose(applied.bottom_diffs[0] * x, applied.tops[0], rtol=1e-5)


def test_passes_everything_in_test_phase(one_layer, x):
    np.testing.assert_array_equal(one_layer(TEXT, x, phase="TEST").tops[0], x)


def test_ratio_of_one_is_refused():
    with pytest.raises(NetError, match="dropout_ratio=1"):
        make(TEXT.replace("0.3", "1"))
