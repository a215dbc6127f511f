"""The real-Caffe side of scripts/bench; runs inside Caffe's own Python.

`train SOLVER` and `forward NET BATCH` wait for lines on stdin, each a number of repetitions, and answer with the
seconds of each repetition. `look NET WEIGHTS MEAN IMAGE OUT` does what a script of 2015 did, as a whole process: load
a picture, preprocess it, run it forward, save four grids.
"""

import sys
import time

import numpy as np

import caffe


def serve(once):
    """Repeat `once` as often as each line asks, answer with a line of seconds."""
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            once()
            seconds.append(time.perf_counter() - start)
        print(" ".join("%.6f" % one for one in seconds), flush=True)


def grid(blob, name):
    """One grey picture of all channels: drawn by matplotlib as in 2015, by Pillow where that is not installed."""
    side = int(np.ceil(np.sqrt(len(blob))))
    blob = (blob - blob.min()) / max(1e-12, blob.max() - blob.min())
    tiles = np.ones((side * side, blob.shape[1] + 1, blob.shape[2] + 1))
    tiles[: len(blob), :-1, :-1] = blob
    tiles = tiles.reshape(side, side, *tiles.shape[1:]).transpose(0, 2, 1, 3)
    picture = tiles.reshape(side * tiles.shape[1], -1)
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        from PIL import Image

        Image.fromarray((255 * picture).astype(np.uint8)).save(name)
    else:
        plt.figure()
        plt.imshow(picture, cmap="gray", interpolation="nearest")
        plt.savefig(name)
        plt.close()


def look(net_file, weights, mean, image, out):
    """caffe.io.load_image itself stops with any scikit-image of today; this is what it did."""
    import skimage.io

    net = caffe.Net(net_file, weights, caffe.TEST)
    blob = caffe.proto.caffe_pb2.BlobProto()
    with open(mean, "rb") as file:
        blob.ParseFromString(file.read())
    transformer = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_mean("data", caffe.io.blobproto_to_array(blob)[0])
    transformer.set_raw_scale("data", 255)
    picture = skimage.img_as_float(skimage.io.imread(image)).astype(np.float32)
    net.blobs["data"].data[...] = transformer.preprocess("data", picture)
    net.forward()
    for name, count in (("conv1", 36), ("conv2", 36), ("conv3", 64), ("pool3", 64)):
        grid(net.blobs[name].data[0, :count], "%s/%s.png" % (out, name))
    print(net.blobs["prob"].data[0])


def main():
    """Parse the command line."""
    caffe.set_mode_cpu()
    kind = sys.argv[1]
    if kind == "train":
        solver = caffe.get_solver(sys.argv[2])
        serve(lambda: solver.step(1))
    elif kind == "forward":
        net = caffe.Net(sys.argv[2], caffe.TEST)
        net.blobs["data"].reshape(int(sys.argv[3]), *net.blobs["data"].data.shape[1:])
        net.reshape()
        data = np.random.RandomState(1).uniform(-128, 128, net.blobs["data"].data.shape).astype(np.float32)
        serve(lambda: net.forward(data=data))
    else:
        look(*sys.argv[2:])


main()
