from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


def test_nothing_is_dropped(one_layer, x):
    y = one_layer('type: "Dropout" top: "y" dropout_param { dropout_ratio: 0.9 }', x)["y"]
    np.testing.assert_array_equal(y, x)


def test_a_layer_that_drops_all_the_same_is_refused(one_layer, x):
    with pytest.raises(NetError, match="phase: TRAIN"):
        one_layer('type: "Dropout" top: "y" phase: TRAIN', x)
