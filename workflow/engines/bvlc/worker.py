"""The worker: runs inside Caffe's own Python (3.6 to 3.9) and imports nothing of this package.

    python -I worker.py CHANNEL LIFELINE

CHANNEL is a socket. A request or a reply is one frame: 4 bytes (big endian), a JSON object of that many bytes, then
the float32 bytes of every array that its "arrays" lists as [name, shape]. A request names a "command" and an "id"; the
reply has its fields, or "error": [type, words]. Before each reply a line with the id goes to stderr, so that the other
side knows when it has read every line of the log that belongs to the request.

LIFELINE is a pipe whose other end the engine holds and never writes to. When the engine is gone, however it died, the
kernel sends this whole process group SIGIO, which ends it, even in the middle of Caffe's C++.
"""

import fcntl
import importlib
import json
import os
import platform
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
import types
from collections import deque

BATCH_NORM = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 1 } } }
layer { name: "y" type: "BatchNorm" bottom: "x" top: "y" }
"""
SNAPSHOT_SECONDS = (10, 60, 600)
"""A snapshot that takes longer is taken for hung: it is tried again and given more time (see `snapshot`)."""


def live_as_long_as(lifeline):
    """Die by SIGIO when the other end of the pipe is closed."""
    try:
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())  # negative: the whole group, with a snapshot's process
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:
        pass  # no signals for pipes here: the closed channel ends it, after the request that it is at
    if select.select([lifeline], [], [], 0)[0]:  # the engine died before this was in place
        os._exit(1)


class Channel:
    """Frames over the socket; arrays are lists of (name, float32 array)."""

    def __init__(self, descriptor):
        self.reader = os.fdopen(descriptor, "rb", closefd=False)
        self.writer = os.fdopen(descriptor, "wb", closefd=False)

    def receive(self):
        """One request and its arrays; None when the engine has closed its end."""
        import numpy as np

        head = self.reader.read(4)
        if len(head) < 4:
            return None
        fields = json.loads(self.reader.read(struct.unpack(">I", head)[0]).decode("utf-8"))
        arrays = []
        for name, shape in fields.pop("arrays", []):
            array = np.empty(shape, np.float32)
            self.reader.readinto(array.reshape(-1).view(np.uint8))
            arrays.append((name, array))
        return fields, arrays

    def send(self, fields, arrays=()):
        """One reply."""
        import numpy as np

        arrays = [(name, np.ascontiguousarray(array, np.float32).reshape(np.shape(array))) for name, array in arrays]
        text = json.dumps(dict(fields, arrays=[[name, list(array.shape)] for name, array in arrays])).encode("utf-8")
        self.writer.write(struct.pack(">I", len(text)) + text)
        for _, array in arrays:
            self.writer.write(array.tobytes())
        self.writer.flush()


class Later(types.ModuleType):
    """In place of a module of functions, which is imported when one of them is called."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*values, **options):
            return getattr(importlib.import_module(self.__name__), name)(*values, **options)

        return call


def import_caffe():
    """Import Caffe without the libraries that read pictures for caffe.io.

    They take a third of the time of the import, and of all that runs here only a user's Python layer may need them.
    """
    names = ["skimage", "skimage.io", "skimage.transform", "scipy", "scipy.ndimage"]
    stand_ins = {name: Later(name) for name in names if name not in sys.modules}
    for name, module in stand_ins.items():
        module.__path__ = []
        parent, _, last = name.rpartition(".")
        if parent in stand_ins:
            setattr(stand_ins[parent], last, module)
    sys.modules.update(stand_ins)
    try:
        import caffe
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return caffe


class Worker:
    """One net or one solver; every public method is a command and returns (fields, arrays)."""

    def __init__(self):
        self.caffe = import_caffe()
        self.net = None
        self.solver = None
        self.losses = deque()
        self.started = 0.0

    # ---- forward passes ----

    def hello(self):
        """The versions of Python and Caffe."""
        try:
            from importlib.metadata import version

            package = "kendryte-caffe " + version("kendryte-caffe")
        except Exception:  # Python before 3.8, or another build of Caffe: only the name is unknown
            package = "pycaffe"
        return {"caffe": self.caffe.__version__, "package": package, "python": platform.python_version()}, ()

    def open(self, path, level):
        """A net in TEST phase."""
        self.net = self.caffe.Net(path, self.caffe.TEST, level)
        shapes = {name: list(self.net.blobs[name].shape) for name in self.net.inputs}
        return {"inputs": list(self.net.inputs), "outputs": list(self.net.outputs), "shapes": shapes}, ()

    def weights(self, path):
        """Copy weights by layer name into the net, or into the solver's train and test nets."""
        nets = [self.net] if self.solver is None else [self.net, *self.solver.test_nets]
        for net in nets:
            net.copy_from(path)
        return {}, ()

    def params(self):
        """All parameters, each under its layer's name."""
        return {}, [(name, blob.data) for name, blobs in self.net.params.items() for blob in blobs]

    def forward(self, arrays):
        """Every blob after one pass, in net order."""
        for name, array in arrays:
            blob = self.net.blobs[name]
            if tuple(blob.shape) != array.shape:
                blob.reshape(*array.shape)
        for name, array in arrays:
            self.net.blobs[name].data[...] = array
        self.net.forward()
        return {}, [(name, blob.data) for name, blob in self.net.blobs.items()]

    def timings(self, batch, backward):
        """Seconds of each layer, forward and backward, in one pass over `batch` pictures."""
        import numpy as np

        for name in self.net.inputs:
            blob = self.net.blobs[name]
            if blob.shape[0] != batch:
                blob.reshape(batch, *list(blob.shape)[1:])
                self.net.reshape()
        names = list(self.net._layer_names)
        seconds = np.zeros((2, len(names)), np.float32)
        for index in range(len(names)):
            start = time.perf_counter()
            self.net._forward(index, index)
            seconds[0, index] = time.perf_counter() - start
        for index in reversed(range(len(names))) if backward else ():
            start = time.perf_counter()
            self.net._backward(index, index)
            seconds[1, index] = time.perf_counter() - start
        return {"layers": names}, [("seconds", seconds)]

    # ---- training ----

    def open_solver(self, path):
        """Build a solver with its nets; tells the train net's batch, 0 if nothing feeds it."""
        self.solver = self.caffe.get_solver(path)
        self.net = self.solver.net
        names = list(self.net._layer_names)
        self.index = {name: index for index, name in enumerate(names)}
        self.weighted = [(name, weight) for name, weight in self.net.blob_loss_weights.items() if weight]
        self.net.after_forward(self._after_forward)
        self.solver.add_callback(self._on_start, lambda: None)
        feeders = [name for name in names if not self.net.bottom_names[name] and self.net.top_names[name]]
        tops = [self.net.blobs[self.net.top_names[name][0]] for name in feeders]
        batch = max([top.shape[0] for top in tops if len(top.shape)] or [0])
        norms = [name for index, name in enumerate(names) if self.net.layers[index].type == "BatchNorm"]
        return {"batch": batch, "untrained": norms[0] if norms and not self._batch_norm_learns() else None}, ()

    def _batch_norm_learns(self):
        """Whether BatchNorm takes a batch's own statistics in training; a wheel of Caffe 1.0 never does."""
        with tempfile.NamedTemporaryFile("w", suffix=".prototxt") as file:
            file.write(BATCH_NORM)
            file.flush()
            net = self.caffe.Net(file.name, self.caffe.TRAIN)
        net.forward()
        return bool(net.params["y"][2].data[0])  # the weight of what was remembered

    def restore(self, path):
        """Restore iteration, history and weights from a solverstate."""
        self.solver.restore(path)
        return {"iteration": self.solver.iter}, ()

    def replay(self, net, layers, times):
        """Run only these layers, as often as a run that was never interrupted has run them.

        Args:
            net: -1 for the train net, else the number of a test net.
            layers: their names, in net order.
            times: how often.
        """
        chosen = self.net if net < 0 else self.solver.test_nets[net]
        numbers = [index for index, name in enumerate(chosen._layer_names) if name in layers]
        for _ in range(times):
            for number in numbers:
                chosen._forward(number, number)
        return {}, ()

    def step(self, rate, outputs):
        """One iteration, with the tests before it that fall due.

        Args:
            rate: whether to tell the learning rate (asking moves the position of policy multistep).
            outputs: whether to tell the train net's outputs, as [name, loss weight, values].
        """
        begun = time.perf_counter()
        self.losses.clear()
        fields = {"rate": self.solver.lr if rate else None}
        self.solver.step(1)
        fields["seconds"] = time.perf_counter() - self.started
        fields["test_seconds"] = self.started - begun
        fields["losses"] = list(self.losses)
        if outputs:
            weights = self.net.blob_loss_weights
            fields["outputs"] = [
                [name, weights[name], [float(value) for value in self.net.blobs[name].data.flat]]
                for name in self.net.outputs
            ]
        return fields, ()

    def finish(self):
        """What Caffe's Solve does after the last iteration: one more forward pass and test, where they are due."""
        begun = time.perf_counter()
        self.losses.clear()
        self.solver.solve()
        return {"losses": list(self.losses), "seconds": time.perf_counter() - begun}, ()

    def test(self, passes):
        """Outputs of each test net as [name, loss weight, values], means over passes[net] passes.

        Caffe's own test is part of its Solve and its Step, where test_interval decides.
        """
        begun = time.perf_counter()
        told = []
        for index, count in enumerate(passes):
            net = self.solver.test_nets[index]
            net.share_with(self.net)
            sums = {name: 0.0 for name in net.outputs}
            for _ in range(count):
                net.forward()
                for name in net.outputs:
                    sums[name] = sums[name] + net.blobs[name].data.astype("float64").ravel()
            weights = net.blob_loss_weights
            told.append([[name, weights[name], list(sums[name] / count)] for name in net.outputs])
        return {"tests": told, "seconds": time.perf_counter() - begun}, ()

    def snapshot(self):
        """Let a forked process write the snapshot: Caffe aborts where it cannot write, and this run must not.

        The lock of Caffe's log is held for ever in that process if a thread that reads data logged a line while it
        was forked. It hangs then, and another one is forked.
        """
        status = None
        for seconds in SNAPSHOT_SECONDS:
            child = os.fork()
            if child == 0:
                try:
                    self.solver.snapshot()
                    os._exit(0)
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(1)
            status = wait_for(child, seconds)
            if status is not None:
                break
        return {"status": status}, ()

    def _on_start(self):
        self.started = time.perf_counter()

    def _after_forward(self, layer):
        import numpy as np

        if layer != len(self.index) - 1:
            return
        total = np.float32(0)
        for name, weight in self.weighted:
            total += np.float32(weight) * self.net.blobs[name].data.sum(dtype=np.float32)
        self.losses.append(float(total))


def wait_for(child, seconds):
    """The exit status of a child: 0, a positive code, minus a signal, or None when it hung and was killed."""
    end = time.time() + seconds
    while time.time() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def answer(worker, fields, arrays):
    """The reply to one request; an exception becomes the field `error`."""
    command = fields.pop("command")
    try:
        if command == "forward":
            return worker.forward(arrays)
        return getattr(worker, command)(**fields)
    except Exception as error:
        return {"error": [type(error).__name__, str(error)]}, ()


def main(channel, lifeline):
    """Answer requests until the engine closes its end."""
    live_as_long_as(lifeline)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # Caffe aborts on errors; no core file in the user's folder
    frames = Channel(channel)
    try:
        worker = Worker()
        if hasattr(worker.caffe, "init_log"):
            worker.caffe.init_log(0, True)  # everything, to stderr, without the warning of an early log
    except Exception as error:
        worker, failure = None, [type(error).__name__, str(error)]
    while True:
        request = frames.receive()
        if request is None:
            return
        fields, arrays = request
        number = fields.pop("id")
        result = answer(worker, fields, arrays) if worker is not None else ({"error": failure}, ())
        sys.stderr.flush()
        os.write(2, "\x1ewf {}\n".format(number).encode())
        frames.send(*result)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
