"""Taking a snapshot elsewhere: as an ONNX model, or as a bundle of Caffe's own files."""
