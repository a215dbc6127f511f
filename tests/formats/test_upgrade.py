from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import PrototxtError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net, read_solver, write
from workflow.formats.upgrade import upgrade_net, upgrade_solver
from workflow.formats.upgrade_error import UpgradeError
from workflow.net.build import build


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


V1_RELU = 'layers { name: "r" type: RELU bottom: "a" top: "r" }'


@pytest.mark.parametrize("field", ["net_param", "train_net_param", "test_net_param"])
def test_a_net_inside_a_solver_is_upgraded_as_well(field):
    """Real Caffe leaves it as it is, and has an empty net then."""
    given = parse(f'base_lr: 1 {field} {{ name: "n" {V1_RELU} }}', caffe_pb2.SolverParameter)
    before = given.SerializeToString()
    solver, notes = upgrade_solver(given)
    assert solver == parse(f'base_lr: 1 {field} {{ name: "n" {RELU} }}', caffe_pb2.SolverParameter)
    assert notes == (f"V1 layers in {field}",)
    assert given.SerializeToString() == before
    assert upgrade_solver(solver) == (solver, ())


def test_a_net_of_v0_and_one_of_v1_for_each_test():
    text = """test_net_param { layers { layer { name: "c" type: "relu" } bottom: "a" top: "c" } }
    test_net_param { input: "a" input_dim: [1, 3, 7, 5] layer { name: "r" type: "ReLU" bottom: "a" top: "r" } }"""
    solver, notes = upgrade_solver(parse(text, caffe_pb2.SolverParameter))
    assert [[layer.type for layer in one.layer] for one in solver.test_net_param] == [["ReLU"], ["Input", "ReLU"]]
    assert notes == ("V0 layers in test_net_param", "input fields in test_net_param")


def test_what_cannot_be_upgraded_inside_a_solver_is_located(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text(f"base_lr: 1\nnet_param {{\n  {RELU}\n  {V1_RELU} }}")
    with pytest.raises(PrototxtError, match="'layer' and 'layers'") as caught:
        read_solver(path)
    assert (caught.value.at.line, caught.value.at.column) == (4, 3)


DATA = 'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: [2, 3, 7, 5] } } }'
OLD = {
    "inputs with shapes": (
        """input: "a" input_shape { dim: [2, 3, 7] } input: "b" input_shape { dim: [2, 3, 7] }
        layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" }"""
    ),
    "inputs with four dimensions": (
        """input: "a" input: "b" input_dim: [2, 3, 7, 5, 2, 1, 7, 5]
        layer { name: "c" type: "Concat" bottom: "a" bottom: "b" top: "c" }"""
    ),
    "shapes and dimensions": f"""input: "a" input_shape {{ dim: [4, 2] }} input_dim: [2, 3, 7, 5] {RELU}""",
    "types by number": (
        """input: "a" input_dim: [2, 3, 7, 5]
        layers { name: "c" type: 4 bottom: "a" top: "c" blobs_lr: 2 convolution_param { num_output: 2 kernel_size: 2 } }
        layers { name: "p" type: 17 bottom: "c" top: "p" pooling_param { pool: 1 kernel_size: 2 } }"""
    ),
    "statistics that would learn": (
        f"""{DATA} layer {{ name: "n" type: "BatchNorm" bottom: "d" top: "n"
        param {{ name: "m" lr_mult: 2 }} param {{ }} param {{ decay_mult: 3 }} }}"""
    ),
    "the net's own state": f"""state {{ phase: TEST level: 3 stage: "x" }} {DATA}
        layer {{ name: "r" type: "ReLU" bottom: "d" top: "r" include {{ min_level: 1 stage: "x" }} }}""",
}


@pytest.mark.caffe
def test_real_caffe_makes_the_same_of_old_text_and_of_what_we_make_of_it(tmp_path, real_caffe):
    """Every layer as it ran, and every blob's shape."""
    for name, text in OLD.items():
        (tmp_path / f"{name} old").write_text(text)
        write(tmp_path / f"{name} new", read_net(tmp_path / f"{name} old"))
    snippet = """
for name in [str(one) for one in given['names']]:
    for age in ('old', 'new'):
        net = caffe.Net(name + ' ' + age, caffe.TEST, **({'level': 3} if 'state' in name else {}))
        net.save('saved')
        key = '%s %s ' % (name, age)
        result[key + 'saved'] = np.frombuffer(open('saved', 'rb').read(), np.uint8)
        result[key + 'shapes'] = np.array([str((blob, list(net.blobs[blob].shape))) for blob in net.blobs])
"""
    said = real_caffe(snippet, names=np.array(list(OLD)))
    for name in OLD:
        spec = build(read_net(tmp_path / f"{name} old"), phase="TEST", level=3 if "state" in name else 0)
        for what in ("saved", "shapes"):
            np.testing.assert_array_equal(said[f"{name} old {what}"], said[f"{name} new {what}"], err_msg=name)
        saved = caffe_pb2.NetParameter.FromString(said[f"{name} old saved"].tobytes())
        assert [layer.name for layer in saved.layer] == [layer.name for layer in spec.layers]
        assert [layer.type for layer in saved.layer] == [layer.type for layer in spec.layers]


@pytest.mark.caffe
def test_real_caffe_takes_the_same_solver_from_a_number(tmp_path, real_caffe):
    (tmp_path / "net").write_text(
        f"""{DATA} layer {{ name: "ip" type: "InnerProduct" bottom: "d" top: "ip"
          inner_product_param {{ num_output: 1 }} }}
        layer {{ name: "l" type: "Reduction" bottom: "ip" top: "l" loss_weight: 1 }}"""
    )
    for number in range(6):
        momentum = "" if number in (2, 3) else "momentum: 0.9"
        text = f'train_net: "net" solver_type: {number} base_lr: 0.1 lr_policy: "fixed" {momentum} snapshot_prefix: "s"'
        (tmp_path / f"solver{number}").write_text(text)
    snippet = "result['kinds'] = np.array([type(caffe.get_solver('solver%d' % i)).__name__ for i in range(6)])"
    kinds = [f"{read_solver(tmp_path / f'solver{number}').type}Solver" for number in range(6)]
    assert real_caffe(snippet)["kinds"].tolist() == kinds
