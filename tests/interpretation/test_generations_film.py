"""One picture through several generations."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from small_net import edit
from three_generations import make_three, settings, weights

from workflow.errors import DataError, UsageError
from workflow.formats import blobproto, caffe_pb2, caffemodel
from workflow.generations import Generation
from workflow.interpretation.activations.channel_matching import Match
from workflow.interpretation.activations.generations_film import Lineage, trace

IMAGE = Path("images/test/cross/2.png")
ORDER = [3, 0, 5, 1, 2, 4]


@pytest.fixture
def three(project: Path) -> list[Generation]:
    """gen1 knows circle and cross, gen2 and gen3 also empty; all of independent random weights."""
    return make_three(project)


def store(one: Generation, net: caffe_pb2.NetParameter) -> None:
    """Put other weights in place of iter_20's."""
    record = one.read()
    newest = record.snapshots[-1]
    caffemodel.write(one.folder / newest.model, net)
    digest = {"model": hashlib.sha256((one.folder / newest.model).read_bytes()).hexdigest()}
    changed = structs.replace(newest, sha256=digest)
    one.write(structs.replace(record, snapshots=(*record.snapshots[:-1], changed)))


def arrays(net: caffe_pb2.NetParameter) -> dict[str, list[np.ndarray]]:
    return {layer.name: [blobproto.to_array(blob) for blob in layer.blobs] for layer in net.layer}


def assemble(found: dict[str, list[np.ndarray]]) -> caffe_pb2.NetParameter:
    net = caffe_pb2.NetParameter(name="small")
    for name, blobs in found.items():
        net.layer.add(name=name, blobs=[blobproto.from_array(blob) for blob in blobs])
    return net


def permuted(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """The same function with conv's channels in ORDER."""
    found = arrays(net)
    found["conv"] = [blob[ORDER] for blob in found["conv"]]
    scores = found["ip"][0]
    found["ip"][0] = scores.reshape(len(scores), 6, -1)[:, ORDER].reshape(scores.shape)
    return assemble(found)


def channels(found: list[Match]) -> list[int | None]:
    return [one.channel for one in found]


def test_a_permuted_copy_is_recovered_exactly(three: list[Generation]) -> None:
    newest = weights(3, 301)
    store(three[2], newest)
    store(three[1], permuted(newest))
    shutil.copy(three[2].mean, three[1].mean)
    found = trace(settings(), IMAGE, numbers=[2, 3], blobs=["conv", "pool"])
    back = [ORDER.index(channel) for channel in range(6)]
    for blob in ("conv", "pool"):
        assert channels(found.matches[blob][0]) == back
        assert [one.correlation for one in found.matches[blob][0]] == pytest.approx([1] * 6)
        np.testing.assert_allclose(found.maps[blob][0], found.maps[blob][1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ["numpy", "torch", pytest.param("caffe", marks=pytest.mark.caffe)])
def test_every_engine_finds_the_same(three: list[Generation], engine: str) -> None:
    expected = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv"], engine="numpy").matches["conv"][0]
    found = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv"], engine=engine).matches["conv"][0]
    assert [(one.channel, one.reason) for one in found] == [(one.channel, one.reason) for one in expected]


def test_independent_random_nets_are_mostly_unmatched(three: list[Generation]) -> None:
    matched: list[bool] = []
    for seed in range(6):
        store(three[0], weights(2, 1000 + seed))
        found = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv", "pool"])
        for blob in found.maps:
            matched += [one.channel is not None for one in found.matches[blob][0]]
            assert np.isnan(found.maps[blob][0]).all(axis=(1, 2)).tolist() == [
                one.channel is None for one in found.matches[blob][0]
            ]
    assert np.mean(matched) < 0.1


def test_a_dead_channel_is_said_to_be_constant(three: list[Generation]) -> None:
    blobs = arrays(weights(3, 301))
    blobs["conv"][0][4] = 0
    store(three[2], assemble(blobs))
    store(three[1], assemble(blobs))
    found = trace(settings(), IMAGE, numbers=[2, 3], blobs=["conv"]).matches["conv"][0]
    assert channels(found) == [0, 1, 2, 3, None, 5]
    assert (found[4].reason, found[4].correlation) == ("constant", None)


def test_classes_are_matched_by_name(three: list[Generation]) -> None:
    found = trace(settings(), IMAGE, blobs=["ip", "prob"])
    assert found.named == {"ip", "prob"}
    assert found.reference.classes == ("circle", "cross", "empty")
    assert found.columns[0].classes == ("circle", "cross")
    for blob in ("ip", "prob"):
        assert channels(found.matches[blob][0]) == [0, 1, None]
        assert found.matches[blob][0][2].reason == "absent"
        assert channels(found.matches[blob][1]) == [0, 1, 2]
    assert found.maps["prob"][0, :2, 0, 0].tolist() == list(found.columns[0].probabilities.values())
    assert found.json()["probabilities"]["empty"][0] is None
    assert found.pictures == 0  # names need no pictures


def test_a_class_that_is_gone_keeps_its_probabilities(three: list[Generation]) -> None:
    record = three[2].read()
    three[2].write(structs.replace(record, classes=("circle", "cross", "blank")))
    found = trace(settings(), IMAGE, blobs=["prob"])
    assert found.classes == ("circle", "cross", "blank", "empty")
    assert found.json()["probabilities"]["empty"] == [
        None,
        pytest.approx(found.columns[1].probabilities["empty"]),
        None,
    ]


def test_a_net_with_fewer_channels(three: list[Generation]) -> None:
    edit(three[1].prototxt("deploy"), "num_output: 6", "num_output: 2")
    newest = arrays(weights(3, 301))
    store(three[2], assemble(newest))
    ip = newest["ip"][0].reshape(3, 6, -1)[:, [4, 1]].reshape(3, -1)
    store(three[1], assemble({"conv": [one[[4, 1]] for one in newest["conv"]], "ip": [ip, newest["ip"][1]]}))
    found = trace(settings(), IMAGE, numbers=[2, 3], blobs=["conv"])
    assert channels(found.matches["conv"][0]) == [None, 1, None, None, 0, None]


def test_a_blob_that_an_older_net_lacks(three: list[Generation]) -> None:
    edit(three[0].prototxt("deploy"), 'top: "conv"', 'top: "early"')
    edit(three[0].prototxt("deploy"), 'bottom: "conv"', 'bottom: "early"')
    found = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv", "pool"])
    assert {one.reason for one in found.matches["conv"][0]} == {"no blob"}
    assert np.isnan(found.maps["conv"][0]).all()
    assert "no blob" not in {one.reason for one in found.matches["pool"][0]}


def test_a_blob_of_another_size(three: list[Generation]) -> None:
    deploy = three[1].prototxt("deploy")
    edit(deploy, "pad: 1", "pad: 0")  # conv is 5 x 5 in place of 7 x 7
    edit(deploy, "stride: 2", "stride: 1")  # pool is 3 x 3 as before
    found = trace(settings(), IMAGE, numbers=[2, 3], blobs=["conv", "pool"])
    assert {one.reason for one in found.matches["conv"][0]} == {"other size"}
    assert "other size" not in {one.reason for one in found.matches["pool"][0]}


def test_a_blob_without_channels(three: list[Generation]) -> None:
    text = three[2].prototxt("deploy").read_text()
    text += 'layer { name: "sum" type: "Reduction" bottom: "prob" top: "sum" reduction_param { axis: 1 } }'
    three[2].prototxt("deploy").write_text(text)
    with pytest.raises(UsageError, match=r"blob 'sum' is \(1,\): it has no channels"):
        trace(settings(), IMAGE, blobs=["sum"])


def test_each_generation_has_its_own_preprocessing(three: list[Generation]) -> None:
    record = three[0].read()
    swapped = structs.replace(record.preprocessing, channel_order="BGR")
    three[0].write(structs.replace(record, preprocessing=swapped))
    newest = weights(3, 301)
    store(three[2], newest)
    blobs = arrays(newest)
    blobs["conv"][0] = blobs["conv"][0][:, ::-1].copy()  # the same filters for the other order
    blobs["ip"] = [blob[:2] for blob in blobs["ip"]]
    store(three[0], assemble(blobs))
    for one in (three[0], three[2]):  # the mean is in the data's own order
        edit(one.prototxt("train_test"), f'mean_file: "{one.mean}"', "mean_value: 80")
    found = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv"])
    assert found.columns[0].pixels.tolist() == found.columns[1].pixels[::-1].tolist()
    assert channels(found.matches["conv"][0]) == list(range(6))
    Path("images/test/circle/3.png").unlink()
    again = trace(settings(), IMAGE, numbers=[1, 3], blobs=["conv"])
    assert again.left_out == ("images/test/circle/3.png",)
    assert again.pictures == found.pictures - 1


def test_the_picture_itself_has_learned_nothing(three: list[Generation]) -> None:
    """Nets of other weights see it alike, so that they set it no threshold."""
    found = trace(settings(), IMAGE, blobs=["data"])
    for matches in found.matches["data"]:
        assert channels(matches) == [0, 1, 2]


def test_no_picture_is_left_to_match_by(three: list[Generation]) -> None:
    record = three[0].read()
    other = structs.replace(record.preprocessing, kernel="box")
    three[0].write(structs.replace(record, preprocessing=other))
    image = Path("elsewhere.png")
    IMAGE.rename(image)
    for one in Path("images/test").rglob("*.png"):
        one.unlink()
    with pytest.raises(DataError, match="no test picture"):
        trace(settings(), image, numbers=[1, 3], blobs=["conv"])


def test_best_takes_the_most_accurate(three: list[Generation]) -> None:
    record = three[0].read()
    first = structs.replace(record.snapshots[0], test_accuracy=0.9)
    three[0].write(structs.replace(record, snapshots=(first, *record.snapshots[1:])))
    found = trace(settings(), IMAGE, which="best", blobs=["prob"])
    assert [one.iteration for one in found.columns] == [10, 20, 20]


def test_a_generation_without_a_snapshot(three: list[Generation]) -> None:
    three[1].write(structs.replace(three[1].read(), snapshots=()))
    found = trace(settings(), IMAGE, blobs=["prob"])
    assert [one.generation for one in found.columns] == [1, 3]
    assert found.without == ("gen2",)
    with pytest.raises(UsageError, match="has no snapshot yet"):
        trace(settings(), IMAGE, numbers=[1, 2], blobs=["prob"])
    with pytest.raises(UsageError, match=r"needs two with a snapshot, got 1 \(with a snapshot: 1, 3\)"):
        trace(settings(), IMAGE, numbers=[3, 3])


def test_the_document(three: list[Generation]) -> None:
    found: Lineage = trace(settings(), IMAGE, progress=lambda done, total: None)
    document = json.loads(json.dumps(found.json(), allow_nan=False))
    assert list(document["matches"]) == ["conv", "pool", "prob"]
    assert document["matches"]["conv"]["reference"] == 3
    assert document["matches"]["conv"]["by"] == "correlation"
    first = document["matches"]["conv"]["channels"][0]
    assert set(first) == {
        "generation", "reference_channel", "matched", "channel", "correlation", "threshold", "reason"
    }  # fmt: skip
    assert len(document["matches"]["conv"]["channels"]) == 12
    assert document["matches"]["prob"]["channels"][2]["class"] == "empty"
    assert document["snapshots"] == ["gen1/iter_20", "gen2/iter_20", "gen3/iter_20"]
    assert document["matched_by"]["pictures"] == sum(three[2].read().counts["test"].values())
