from __future__ import annotations

import csv
import json
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
from packing import entry, pack
from small_net import CLASSES, DEPLOY

from workflow.config import Config
from workflow.errors import DataError, ModelError, NetError, UsageError
from workflow.exams import decoding, passes
from workflow.exams import predict as predicting
from workflow.exams.files import pictures
from workflow.exams.predict import predict, write_csv
from workflow.models.loading import load


def label(model, paths, **options):
    return predict(model, pictures(paths), **options)


def test_every_picture_gets_a_label(settings, trained):
    result = label(load(settings), [Path("images/test")])
    assert len(result.predictions) == 15
    assert result.skipped == ()
    for one in result.predictions:
        assert tuple(one.probabilities) == CLASSES
        assert one.probability == max(one.probabilities.values()) == one.probabilities[one.label]
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_predictions_may_be_looked_at_in_any_order_and_more_than_once(settings, trained):
    told = []
    found = label(load(settings), [Path("images/test")], progress=lambda *state: told.append(state)).predictions
    assert told == [(15, 15)]
    assert [found[place] for place in range(15)] == list(found) == found[:] == list(found)
    assert found[-1] == found[14]
    assert found[2:4] == [found[2], found[3]]
    assert found[::-7] == [found[14], found[7], found[0]]


def test_several_processes_give_what_one_gives(settings, trained, project, monkeypatch):
    """Parts of four files, two of which are no pictures."""
    (project / "images/test/cross/0.png").write_bytes(b"")
    (project / "images/test/cross/b.txt").write_text("no picture")
    for module in (passes, decoding, predicting):
        monkeypatch.setattr(module, "PART", 4)
    told, counts = [], []
    alone = label(load(settings), [Path("images/test")], progress=lambda *state: counts.append(state))
    monkeypatch.setitem(passes._EACH, "numpy", 8)
    monkeypatch.setattr(passes.cores, "available", lambda: 2)
    shared = label(load(settings), [Path("images/test")], progress=lambda *state: told.append(state))
    assert list(shared.predictions) == list(alone.predictions)
    assert len(shared.predictions) == 14
    assert shared.skipped == alone.skipped
    assert told == counts
    assert told[-1] == (16, 16)
    with pytest.raises(UsageError, match="no engine 'tensor'"):
        label(load(settings), [Path("images/test")], engine="tensor")


def test_a_tar_is_labelled_as_its_folder_is(settings, trained, project, monkeypatch):
    (project / "images/test/cross/0.png").write_bytes(b"")
    files = sorted(Path("images/test").rglob("*.png"))
    packed = {"a": files[:7], "b": files[7:]}
    (project / "shards").mkdir()
    for name, own in packed.items():
        link = entry("link.png", tarfile.SYMTYPE, linkname="/etc/passwd")
        pack(Path("shards", f"{name}.tar"), {"/".join(one.parts[-2:]): one.read_bytes() for one in own}, link)
    model = load(settings)
    from_folder = label(model, [Path("images/test")])
    from_tars = label(model, [Path("shards")])
    monkeypatch.setitem(passes._EACH, "numpy", 8)
    monkeypatch.setattr(passes.cores, "available", lambda: 2)
    assert list(label(model, [Path("shards")]).predictions) == list(from_tars.predictions)
    names = [
        str(one.path).replace("images/test", f"shards/{'ab'[place > 5]}.tar")
        for place, one in enumerate(from_folder.predictions)
    ]
    assert [(str(one.path), one.probabilities) for one in from_tars.predictions] == [
        (name, one.probabilities) for name, one in zip(names, from_folder.predictions, strict=True)
    ]
    assert [(str(one.path), one.reason) for one in from_tars.skipped] == [
        ("shards/a.tar/cross/0.png", "is empty"),
        ("shards/a.tar/link.png", "is a link, not a regular file"),
        ("shards/b.tar/link.png", "is a link, not a regular file"),
    ]
    (alone,) = label(model, [Path(names[9])]).predictions
    assert alone == from_tars.predictions[9]
    with pytest.raises(UsageError, match="shards/a.tar/cross/77.png does not exist"):
        label(model, [Path("shards/a.tar/cross/77.png")])


def test_i01_what_cannot_be_read_is_set_aside(settings, trained, project):
    good = Path("images/test/cross/0.png")
    (project / "inbox").mkdir()
    (project / "inbox/1.png").write_bytes(good.read_bytes())
    (project / "inbox/2.png").write_bytes(good.read_bytes()[:150])
    (project / "inbox/3.txt").write_text("no picture")
    (project / "inbox/4.png").write_bytes(b"")
    (project / "inbox/5.png").symlink_to("nowhere.png")
    result = label(load(settings), [Path("inbox")])
    assert [one.path.name for one in result.predictions] == ["1.png"]
    assert {one.path.name: one.reason.split(" (")[0] for one in result.skipped} == {
        "2.png": "is truncated",
        "3.txt": "is text, not an image",
        "4.png": "is empty",
        "5.png": "cannot be read: inbox/5.png is a link to nowhere.png, which does not exist",
    }


def test_json_is_json(settings, trained, project):
    (project / "bad.png").write_bytes(b"")
    result = label(load(settings), [Path("images/test/cross/0.png"), Path("bad.png")])
    document = json.loads(json.dumps(result.json()))
    assert document["snapshot"] == "gen1/iter_20"
    assert list(document["predictions"][0]) == ["path", "label", "probability", "probabilities"]
    assert document["skipped"] == [{"path": "bad.png", "reason": "is empty"}]


def test_a_table(settings, trained, project):
    odd = project / 'a "b", c.png'
    odd.write_bytes(Path("images/test/cross/0.png").read_bytes())
    result = label(load(settings), [odd, Path("images/test/circle")])
    write_csv(Path("tables/labels.csv"), result)
    with Path("tables/labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "label", "probability", *CLASSES]
    assert rows[0]["path"] == str(odd)
    for row, one in zip(rows, result.predictions, strict=True):
        assert row["label"] == one.label
        assert float(row[one.label]) == pytest.approx(one.probability, rel=1e-5)


def test_a_net_without_probabilities(foreign, settings):
    foreign["net"].write_text("\n".join(line for line in DEPLOY.splitlines() if "Softmax" not in line))
    with pytest.raises(NetError, match="has no Softmax layer"):
        label(load(Config(), **foreign), [Path("images/test/cross/0.png")])


def test_two_thirds_and_more_of_cifar10(shared_data, tmp_path):
    """A net trained with real Caffe, fed RGB: decode, mean and net together are right, or it would guess."""
    import tarfile

    from workflow.formats import labels

    folder = shared_data / "models" / "cifar10_quick_v2_simshang"
    with tarfile.open(shared_data / "cifar10-jpg.tar.xz") as archive:
        for member in archive:
            if member.isfile() and "/test/" in f"/{member.name}" and int(Path(member.name).stem) < 10:
                archive.extract(member, tmp_path, filter="data")
    files = pictures([tmp_path])
    labels.write(tmp_path / "labels.txt", sorted({Path(path).parent.name for path, _ in files}))
    model = load(
        Config(),
        snapshot=str(folder / "cifar10_quick_iter_5000.caffemodel"),
        net=folder / "cifar10_quick.prototxt",
        mean=str(folder / "mean.binaryproto"),
        labels=tmp_path / "labels.txt",
    )
    result = predict(model, files)
    right = np.mean([one.label == one.path.parent.name for one in result.predictions])
    assert len(files) == 100
    assert right > 0.6


def test_i01_nothing_but_what_cannot_be_read(settings, trained, project):
    for name in ("a.png", "b.png"):
        (project / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"no picture can be read: a\.png is empty, and 1 more"):
        label(load(settings), [Path("a.png"), Path("b.png")])


def test_c05_nan_is_no_label(settings, trained):
    model = load(settings)
    for blob in model.weights.layer[1].blobs:
        blob.data[:] = [math.nan] * len(blob.data)
    with pytest.raises(ModelError, match="gives no probability but NaN"):
        label(model, [Path("images/test/cross/0.png")])
