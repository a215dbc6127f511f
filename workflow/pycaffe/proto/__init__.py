"""Caffe's messages where scripts look for them: `caffe.proto.caffe_pb2`."""

from __future__ import annotations

import sys

from workflow.formats import caffe_pb2

__all__ = ["caffe_pb2"]

sys.modules[f"{__name__}.caffe_pb2"] = caffe_pb2  # for `from caffe.proto.caffe_pb2 import NetParameter`
