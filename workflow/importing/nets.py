"""The nets and the solver of an import, with only their paths changed."""

from __future__ import annotations

from pathlib import Path

from workflow.formats import caffe_pb2
from workflow.generations import Generation


def with_paths(net: caffe_pb2.NetParameter, generation: Generation) -> caffe_pb2.NetParameter:
    """A training net whose Data layers read the generation's databases and mean.

    A layer that is only in phase TEST or in stage `val` or `test` reads the test database. Stages that
    stand for a phase become that phase, as every reader of a generation asks for phases.
    """
    result = caffe_pb2.NetParameter()
    result.CopyFrom(net)
    for layer in result.layer:
        for rule in (*layer.include, *layer.exclude):
            phases = {_PHASES[stage] for stage in rule.stage if stage in _PHASES}
            if len(phases) == 1 and not rule.HasField("phase"):
                rule.phase = phases.pop()
                kept = [stage for stage in rule.stage if stage not in _PHASES]
                rule.ClearField("stage")
                rule.stage.extend(kept)
        if layer.type == "Data":
            testing = {rule.phase for rule in layer.include if rule.HasField("phase")} == {caffe_pb2.TEST}
            layer.data_param.source = generation.recorded(generation.database("test" if testing else "train"))
            layer.data_param.backend = caffe_pb2.DataParameter.LMDB
            if layer.transform_param.mean_file:
                layer.transform_param.mean_file = generation.recorded(generation.mean)
    return result


_PHASES = {"train": caffe_pb2.TRAIN, "val": caffe_pb2.TEST, "test": caffe_pb2.TEST}


def solver_with_paths(
    solver: caffe_pb2.SolverParameter, generation: Generation, prefix: str
) -> caffe_pb2.SolverParameter:
    """A solver that trains the generation's net and snapshots into its folder."""
    result = caffe_pb2.SolverParameter()
    result.CopyFrom(solver)
    for field in ("train_net", "test_net", "net_param", "train_net_param", "test_net_param"):
        result.ClearField(field)
    result.net = generation.recorded(generation.prototxt("train_test"))
    result.snapshot_prefix = generation.recorded(generation.snapshots / Path(prefix).name)
    return result
