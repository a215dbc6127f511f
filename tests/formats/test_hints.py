from __future__ import annotations

from workflow.formats.hints import unknown_field, unknown_value


def test_the_closest_field_comes_first():
    assert unknown_field("ConvolutionParameter", "num_outputs", "NetParameter") == "did you mean 'num_output'?"


def test_a_field_of_an_inner_block_is_sent_there():
    assert unknown_field("LayerParameter", "kernel_size", "NetParameter") == (
        "'kernel_size' belongs in convolution_param or pooling_param"
    )


def test_a_net_in_the_place_of_a_solver():
    hint = unknown_field("SolverParameter", "layer", "SolverParameter")
    assert hint == "'layer' is a field of NetParameter: is this the right file?"


def test_otherwise_all_that_there_is():
    assert unknown_field("DropoutParameter", "zzz", "NetParameter") == "known: dropout_ratio"


def test_values_of_an_enum():
    assert unknown_value("Phase", "zzz") == "known: TRAIN, TEST"
    assert unknown_value("V1LayerParameter.LayerType", "CONVOLUTIONN") == "did you mean 'CONVOLUTION'?"


def test_a_decimal_comma():
    assert unknown_field("SolverParameter", "01", "SolverParameter") == "a decimal number takes a point: 0.01"


def test_what_is_hardly_alike_is_not_meant():
    assert unknown_field("PoolingParameter", "cell_made", "NetParameter").startswith("known: ")
