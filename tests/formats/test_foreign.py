from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.errors import ModelError
from workflow.formats import caffe_pb2, caffemodel, datum, solverstate
from workflow.formats.binaryproto import read_mean, write_mean
from workflow.formats.foreign import refuse_foreign
from workflow.formats.matrix import read_matrix


@pytest.mark.parametrize("data", [b"<!DOCTYPE html>", b"# a prototxt", b"\n layer {", b'name: "x"', b'input: "a"'])
def test_text(data):
    with pytest.raises(ModelError, match="is text"):
        refuse_foreign(Path("m.caffemodel"), data, hint="")


def test_a_model_passes(model):
    refuse_foreign(Path("m.caffemodel"), model.SerializeToString(), hint="")


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones((3, 4, 5)))
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, mean=np.ones((3, 4, 5)))
    return buffer.getvalue()


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, kind)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("mean.binaryproto"))
    return buffer.getvalue()


OTHER_FILES = {
    "a numpy array": npy(),
    "a numpy archive": npz(),
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128),
    "a PNG picture": picture("PNG"),
    "a JPEG picture": picture("JPEG"),
    "a gzip archive": gzip.compress(b"x"),
    "a tar archive": tar(),
}


@pytest.mark.parametrize("reader", [caffemodel.read, solverstate.read, read_mean, read_matrix])
@pytest.mark.parametrize("kind", OTHER_FILES)
def test_files_of_other_programs_are_named_by_every_reader(text_file, reader, kind):
    with pytest.raises(ModelError, match=f"file is {kind}") as caught:
        reader(text_file("file", OTHER_FILES[kind]))
    assert caught.value.hint


def test_every_message_of_caffe_is_named_where_another_is_wanted(text_file, tmp_path, model, database):
    caffemodel.write(tmp_path / "weights", model)
    solverstate.write(tmp_path / "state", solverstate.State(iteration=4, history=(np.ones(3, np.float32),)))
    write_mean(tmp_path / "mean", np.ones((3, 4, 5)))
    text_file("record", datum.encode(np.ones((3, 4, 5), np.uint8), 1))
    contents = {
        "weights": (caffemodel.read, "weights"),
        "state": (solverstate.read, "solver state"),
        "mean": (read_mean, "an array such as a mean"),
        "record": (None, "a record of a database"),
    }
    for wanted, (reader, words) in contents.items():
        for given, (_, content) in contents.items():
            if given != wanted and reader is not None:
                with pytest.raises(ModelError, match=f"{given} holds {content}, not {words}"):
                    reader(tmp_path / given)
    with pytest.raises(ModelError, match="some_lmdb is an LMDB, expected a file"):
        read_mean(database)
    with pytest.raises(ModelError, match="data.mdb is a file of an LMDB"):
        read_mean(database / "data.mdb")


def test_a_damaged_file_of_the_wanted_kind_is_called_damaged(text_file, model):
    blob = caffe_pb2.BlobProto(num=1, channels=3, height=2, width=2, data=[1.0])
    with pytest.raises(ModelError, match=r"a blob of shape \(1, 3, 2, 2\) holds 1 values"):
        read_mean(text_file("mean", blob.SerializeToString()))
    with pytest.raises(ModelError, match="truncated or damaged"):
        caffemodel.read(text_file("m", model.SerializeToString()[:-3]))
