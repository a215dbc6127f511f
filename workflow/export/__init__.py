"""Export a snapshot as an ONNX model or as a bundle of Caffe files."""
