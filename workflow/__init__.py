"""Prepare pictures, train small Caffe networks on a CPU, and look at what they see."""

__version__ = "0.1.0"
