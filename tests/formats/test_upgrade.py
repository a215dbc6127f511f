from __future__ import annotations

import pytest

from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse
from workflow.formats.upgrade import upgrade_net, upgrade_solver
from workflow.formats.upgrade_error import UpgradeError


def net(text: str) -> caffe_pb2.NetParameter:
    return parse(text, caffe_pb2.NetParameter)


RELU = 'layer { name: "r" type: "ReLU" bottom: "a" top: "r" }'


def test_a_net_of_today_is_returned_as_it_is():
    given = net(RELU)
    upgraded, notes = upgrade_net(given)
    assert upgraded is given
    assert notes == ()


def test_input_dims_become_an_input_layer_in_front():
    given = net(f'input: "a" input: "b" input_dim: [2, 3, 7, 5, 2, 1, 1, 1] {RELU}')
    before = given.SerializeToString()
    upgraded, notes = upgrade_net(given)
    assert upgraded == net(
        """layer { name: "input" type: "Input" top: "a" top: "b"
                   input_param { shape { dim: [2, 3, 7, 5] } shape { dim: [2, 1, 1, 1] } } } """
        + RELU
    )
    assert notes == ("input fields",)
    assert given.SerializeToString() == before


def test_input_shape_wins_over_input_dim():
    upgraded, _ = upgrade_net(net(f'input: "a" input_shape {{ dim: 4 }} input_dim: [1, 1, 1, 1] {RELU}'))
    assert [list(shape.dim) for shape in upgraded.layer[0].input_param.shape] == [[4]]


def test_input_without_shapes_is_dropped_as_in_old_models():
    upgraded, _ = upgrade_net(net(f'input: "a" {RELU}'))
    assert upgraded == net(RELU)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('input: "a" input_dim: [1, 2, 3]', "1 'input' need 4 'input_dim', got 3"),
        ('input: "a" input: "b" input_shape { dim: 1 }', "2 'input' but 1 'input_shape'"),
        (RELU + 'layers { name: "old" }', "'layer' and 'layers'"),
        ('layers { layer { name: "a" type: "relu" } } layers { type: RELU }', "two old formats"),
    ],
)
def test_contradictions_are_refused(text, message):
    with pytest.raises(UpgradeError, match=message):
        upgrade_net(net(text))


def test_the_statistics_of_batch_norm_are_never_learned():
    given = net('layer { type: "BatchNorm" param { name: "m" lr_mult: 2 } param {} param { decay_mult: 3 } }')
    upgraded, notes = upgrade_net(given)
    assert [(param.name, param.lr_mult, param.decay_mult) for param in upgraded.layer[0].param] == [
        ("m", 0, 0),
        ("", 0, 0),
        ("", 0, 0),
    ]
    assert notes == ()  # Caffe does this to nets of every age


def test_batch_norm_with_other_numbers_of_params_is_left_alone():
    given = net('layer { type: "BatchNorm" param { lr_mult: 2 } }')
    assert upgrade_net(given)[0] is given


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SGD", "SGD"),
        ("NESTEROV", "Nesterov"),
        ("ADAGRAD", "AdaGrad"),
        ("RMSPROP", "RMSProp"),
        ("ADADELTA", "AdaDelta"),
        ("ADAM", "Adam"),
    ],
)
def test_solver_types(old, new):
    solver, notes = upgrade_solver(parse(f"solver_type: {old}", caffe_pb2.SolverParameter))
    assert (solver.type, solver.HasField("solver_type"), notes) == (new, False, ("solver_type",))


def test_a_net_inside_a_solver_is_not_upgraded():
    given = parse("net_param { layers { type: RELU } }", caffe_pb2.SolverParameter)
    assert upgrade_solver(given) == (given, ())
