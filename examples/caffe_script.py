"""A script written for Caffe's Python module in 2015, run without Caffe. Only the import line was changed.

    python examples/caffe_script.py deploy.prototxt snapshot.caffemodel mean.binaryproto picture.png

Prints the five most probable classes, and the shape of every blob.
"""

from __future__ import annotations

import sys

import numpy as np

from workflow import pycaffe as caffe


def main(deploy: str, weights: str, mean_file: str, picture: str) -> None:
    """Classify one picture as pycaffe's own examples do."""
    net = caffe.Net(deploy, weights, caffe.TEST)

    blob = caffe.proto.caffe_pb2.BlobProto()
    with open(mean_file, "rb") as file:  # noqa: PTH123  (as in 2015)
        blob.ParseFromString(file.read())
    mean = caffe.io.blobproto_to_array(blob)[0]

    transformer = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
    transformer.set_transpose("data", (2, 0, 1))  # rows, columns, channels -> channels, rows, columns
    transformer.set_mean("data", mean)
    transformer.set_raw_scale("data", 255)  # load_image gives 0..1

    net.blobs["data"].reshape(1, *net.blobs["data"].data.shape[1:])
    net.blobs["data"].data[...] = transformer.preprocess("data", caffe.io.load_image(picture))
    probabilities = net.forward()["prob"][0]

    for index in np.argsort(-probabilities)[:5]:
        print(f"class {index}  {probabilities[index]:.4f}")
    for name, held in net.blobs.items():
        print(f"{name:8}  {' x '.join(map(str, held.data.shape))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
