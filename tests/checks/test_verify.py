from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from workflow.checks.verify import verify
from workflow.errors import DatabaseError, FindingError, UsageError
from workflow.formats import binaryproto, blobproto, caffemodel, datum, prototxt
from workflow.formats.lmdb import Reader, Writer


def rewrite(folder, change):
    """The database again, with some values changed."""
    with Reader(folder) as reader:
        records = [reader.read(position) for position in range(len(reader))]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with Writer(folder) as writer:
        for position, (key, value) in enumerate(records):
            writer.put(key, change(position, value))
    return records


def brighter(value):
    pixels, label = datum.decode(value)
    return datum.encode((pixels.astype(int) + 2).clip(0, 255).astype(np.uint8), label)


def test_one_path(settings, trained):
    found = verify(settings, others=["torch"])
    found.check()
    assert found.generation == "gen1"
    assert found.snapshot == "gen1/iter_20"
    assert found.checked == 24 + 15
    assert found.max_abs_difference == 0
    assert (found.missing, found.changed, found.problems) == ([], [], [])
    assert 0 < found.engines["torch"] < 1e-5


def test_json_has_the_keys_that_others_rely_on(settings, trained):
    document = json.loads(json.dumps(verify(settings, others=[], sample=4).json()))
    assert document["checked"] == 8
    assert document["max_abs_difference"] == 0


@pytest.mark.caffe
def test_real_caffe_agrees(settings, trained):
    found = verify(settings)
    assert 0 < found.engines["caffe"] < 1e-5


@pytest.mark.parametrize("engine", ["torch", pytest.param("caffe", marks=pytest.mark.caffe)])
def test_by_any_engine(settings, trained, engine):
    found = verify(settings, engine=engine, others=["numpy"], snapshot="iter_10")
    found.check()
    assert found.snapshot == "gen1/iter_10"
    assert 0 < found.engines["numpy"] < 1e-5


def test_before_training_the_records_alone(settings, prepared):
    found = verify(settings, others=[])
    found.check()
    assert (found.snapshot, found.checked, found.engines) == (None, 39, {})


def test_a_test_layer_that_mirrors_is_found_and_does_not_disturb(settings, trained):
    path = trained.prototxt("train_test")
    net = prototxt.read_net(path)
    for layer in net.layer[:2]:
        layer.transform_param.mirror = True
    prototxt.write(path, net)
    found = verify(settings, others=[])
    assert (found.problems, found.max_abs_difference) == ([], 0)
    assert len(found.net_problems) == 1
    with pytest.raises(
        FindingError, match="layer 'pictures' of the test net has mirror: true: test pictures are mirrored"
    ) as caught:
        found.check()
    assert "prototxt/" in caught.value.hint


def test_a_picture_that_is_gone_is_told_and_no_more(settings, trained):
    Path("images/test/cross/3.png").unlink()
    found = verify(settings, others=[])
    found.check()
    assert found.missing == ["images/test/cross/3.png"]
    assert found.checked == 38


def test_a_picture_that_changed_is_told_and_no_more(settings, trained):
    Image.new("RGB", (8, 9)).save("images/train/cross/3.png")
    found = verify(settings, others=[])
    found.check()
    assert found.changed == ["images/train/cross/3.png"]
    assert found.max_abs_difference == 0


def test_l04_bytes_of_a_record(settings, trained):
    folder = trained.database("test")
    records = rewrite(folder, lambda position, value: brighter(value) if position == 3 else value)
    found = verify(settings, others=[])
    key = records[3][0].decode()
    assert f"record {key} does not match its checksum" in found.problems
    assert any("test_lmdb/data.mdb does not match its checksum" in problem for problem in found.problems)
    assert any(f"record {key} differs from its picture" in problem for problem in found.problems)
    assert any("blob 'conv' of the test net differs from inspect's" in problem for problem in found.problems)
    assert found.max_abs_difference >= 2
    with pytest.raises(FindingError, match="does not match its checksum") as caught:
        found.check()
    assert (caught.value.fault, caught.value.exit_code) == ("L04", 1)


def test_another_label(settings, trained):
    def relabel(position, value):
        pixels, label = datum.decode(value)
        return datum.encode(pixels, (label + 1) % 3) if position == 0 else value

    rewrite(trained.database("train"), relabel)
    assert any("has label" in problem for problem in verify(settings, others=[]).problems)


def test_another_mean(settings, trained):
    """Both ways read the generation's mean, so that they agree; its checksum does not."""
    binaryproto.write_mean(trained.mean, binaryproto.read_mean(trained.mean) + 1)
    found = verify(settings, others=[])
    assert found.problems == [f"{trained.mean} does not match its checksum"]
    assert found.max_abs_difference == 0


def test_a_file_that_is_gone(settings, trained):
    trained.labels.unlink()
    assert verify(settings, others=[]).problems == [f"{trained.labels} is missing"]


def test_fewer_records_than_were_listed(settings, trained):
    lines = trained.manifest.read_text().splitlines(keepends=True)
    trained.manifest.write_text("".join(lines[:-1]))
    words = "test_lmdb has 15 records, but the manifest lists 14"
    assert any(words in problem for problem in verify(settings, others=[]).problems)


def test_other_preprocessing_than_was_recorded(settings, trained):
    record = trained.read()
    other = structs.replace(record.preprocessing, channel_order="BGR")
    trained.write(structs.replace(record, preprocessing=other))
    found = verify(settings, others=[])
    assert any("differs from its picture" in problem for problem in found.problems)
    assert found.max_abs_difference > 1


def test_the_message_names_the_first_few(settings, trained):
    rewrite(trained.database("train"), lambda _, value: brighter(value))
    found = verify(settings, others=[])
    assert len(found.problems) > 20
    with pytest.raises(FindingError, match=f"; and {len(found.problems) - 5} more"):
        found.check()


def test_l03_a_damaged_database_is_never_opened(settings, trained):
    path = trained.database("test") / "data.mdb"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DatabaseError) as caught:
        verify(settings, others=[])
    assert caught.value.fault == "L03"


def test_a_model_from_elsewhere_has_no_data(settings, trained, foreign):
    with pytest.raises(UsageError):
        verify(settings, snapshot=foreign["snapshot"])


def test_c05_the_same_nan_on_both_sides_is_no_difference(settings, trained):
    path = trained.snapshots / "broken.caffemodel"
    weights = caffemodel.read(trained.folder / trained.read().latest.model)
    next(layer for layer in weights.layer if layer.name == "conv").blobs[0].data[0] = float("nan")
    caffemodel.write(path, weights)
    assert verify(settings, snapshot=str(path), others=[]).problems == []


@pytest.mark.parametrize(("setting", "depends"), [(False, True), (True, False), (None, False)])
def test_a_deploy_net_whose_answers_depend_on_the_batch(settings, trained, setting, depends):
    """The layer stands in the train_test net, too, where Caffe gives it the stored statistics."""
    for kind in ("deploy", "train_test"):
        path = trained.prototxt(kind)
        net = prototxt.read_net(path)
        norm = net.layer.add(name="bn", type="BatchNorm", bottom=["pool"], top=["bn"])
        if setting is not None and kind == "deploy":
            norm.batch_norm_param.use_global_stats = setting
        prototxt.write(path, net)
    model = trained.snapshots / "small_iter_20.caffemodel"
    weights = caffemodel.read(model)
    statistics = (np.full(6, 1.5), np.full(6, 4.0), np.ones(1))
    weights.layer.add(name="bn", blobs=[blobproto.from_array(one.astype("f")) for one in statistics])
    caffemodel.write(model, weights)
    record = trained.read()
    snapshots = tuple(structs.replace(one, sha256={}) for one in record.snapshots)
    trained.write(structs.replace(record, snapshots=snapshots))
    found = verify(settings, others=[])
    assert any("blob 'bn' of the deploy net depends on the other" in one for one in found.net_problems) == depends
    assert bool(found.problems) == depends  # the blob of the test net is another one
