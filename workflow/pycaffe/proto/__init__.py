"""Caffe's messages where scripts look for them: `caffe.proto.caffe_pb2`."""

from __future__ import annotations

from workflow.formats import caffe_pb2

__all__ = ["caffe_pb2"]
