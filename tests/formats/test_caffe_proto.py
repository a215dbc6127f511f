from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workflow.formats import caffe_pb2

ROOT = Path(__file__).parents[2]

# One list of lines for every message and enum, from descriptors; protobuf's old and new Python agree on these names.
_DESCRIBE = """
def describe(file):
    lines = []
    def enum(kind):
        lines.extend('%s %s=%d' % (kind.full_name, value.name, value.number) for value in kind.values)
    def message(kind):
        for field in kind.fields:
            inner = field.message_type or field.enum_type
            label = 3 if LABEL(field) else 2 if field.full_name in REQUIRED else 1
            default = repr(field.default_value) if field.has_default_value else ''
            lines.append('%s=%d type %d label %d packed %d %s %s' % (
                field.full_name, field.number, field.type, label, field.GetOptions().packed,
                inner.full_name if inner else '', default))
        for nested in kind.enum_types:
            enum(nested)
        for nested in kind.nested_types:
            message(nested)
    for kind in file.message_types_by_name.values():
        message(kind)
    for kind in file.enum_types_by_name.values():
        enum(kind)
    return sorted(lines)
REQUIRED = ('caffe.ClipParameter.min', 'caffe.ClipParameter.max')
"""

# What the wheel adds to BVLC Caffe; the one BVLC message that it lacks, and what we know of other forks.
_FORK = ("Ctc", "Reverse", "Continuation", "Labelsequence", "ctc_", "reverse_", "labelsequence_")
_FORK_FIELDS = ("continuation_indicator_param", "caffe.V0LayerParameter.axis=66", "LayerType REVERSE=40")
_OTHER_FORKS = (
    *("Upsample", "ShuffleChannel", "PriorBox", "DetectionOutput", "NonMaximumSuppression", "SaveOutput"),
    *("Normalize", "Interp", "ReLU6", "Resize"),
)
_OTHER_FIELDS = ("upsample", "shuffle_channel", "prior_box", "detection_output", "norm", "interp", "relu6")
_OURS = (
    *("caffe.ClipParameter", "caffe.LayerParameter.clip_param", "caffe.BlobProto.raw_", "caffe.BlobProto.RawType"),
    *(f"caffe.{name}Parameter" for name in _OTHER_FORKS),
    *(f"caffe.LayerParameter.{name}_param=" for name in _OTHER_FIELDS),
)


@pytest.mark.caffe
def test_every_field_is_that_of_real_caffe(real_caffe):
    snippet = f"""{_DESCRIBE}
from caffe.proto import caffe_pb2
LABEL = lambda field: field.label == field.LABEL_REPEATED
result['lines'] = np.array(describe(caffe_pb2.DESCRIPTOR))
"""
    theirs = {str(line) for line in real_caffe(snippet)["lines"]}
    names: dict = {"LABEL": lambda field: field.is_repeated}
    exec(_DESCRIBE, names)
    ours = set(names["describe"](caffe_pb2.DESCRIPTOR))
    assert all(line.startswith(_OURS) for line in ours - theirs)
    extra = [line for line in theirs - ours if not any(mark in line for mark in (*_FORK, *_FORK_FIELDS))]
    assert extra == []
    assert len(ours & theirs) > 500


def test_the_generated_module_belongs_to_the_proto_file():
    pytest.importorskip("grpc_tools", reason="grpcio-tools writes caffe_pb2.py: pip install 'wf[dev]'")
    done = subprocess.run(
        [ROOT / "scripts" / "protoc", "--check"],
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_c_backend_of_protobuf_is_in_use():
    """The pure Python one is 50 times slower, and has had holes of its own."""
    from google.protobuf.internal import api_implementation

    assert api_implementation.Type() == "upb"


def test_floats_survive_the_wire():
    values = np.array([0.1, -0.0, np.inf, 1e-45], np.float32)
    blob = caffe_pb2.BlobProto(data=values)
    assert np.array(caffe_pb2.BlobProto.FromString(blob.SerializeToString()).data, np.float32).tobytes() == (
        values.tobytes()
    )
