from __future__ import annotations

import numpy as np
import pytest
import torch

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.solvers import create_rule, rule_types


def test_the_rate_is_inside_the_momentum():
    """A rate that drops does not shrink what was gathered before; torch.optim.SGD would."""
    param = caffe_pb2.SolverParameter(momentum=0.9)
    weight = torch.zeros(3)
    sgd = create_rule(param, [weight])
    v = np.zeros(3)
    for k, rate in enumerate([0.1, 0.1, 0.01, 0.01]):
        gradient = torch.tensor([1.0, -2.0, 3.0]) * (k + 1)
        v = 0.9 * v + rate * gradient.numpy()
        np.testing.assert_allclose(sgd.update(0, gradient, rate, k).numpy(), v, rtol=1e-6)
    np.testing.assert_allclose(sgd.history[0].numpy(), v, rtol=1e-6)


def test_an_unknown_type_lists_the_known():
    with pytest.raises(NetError, match="solver type 'SDG' is not known.*SGD") as caught:
        create_rule(caffe_pb2.SolverParameter(type="SDG"), [])
    assert "did you mean 'SGD'" in str(caught.value)
    assert "SGD" in rule_types()
