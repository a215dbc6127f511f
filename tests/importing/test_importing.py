"""Data sets and networks of others, as convert_imageset, DIGITS and projects of 2014 leave them."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_net import CLASSES, DEPLOY, NET, SOLVER, make_database, picture

from workflow.config import Config, rooted
from workflow.errors import DatabaseError, DataError, EnvironmentFault, ModelError, NetError, UsageError
from workflow.exams import exam
from workflow.formats import binaryproto, blobproto, caffe_pb2, caffemodel, datum, labels, lmdb, prototxt, solverstate
from workflow.generations import generation, resolve
from workflow.importing import import_generation
from workflow.models.loading import load

GEN0 = generation(Config(), 0)


@pytest.fixture
def converted(project: Path) -> Path:
    """What convert_imageset and compute_image_mean leave: 50 and 15 records of 3 x 9 x 8."""
    mean = make_database(project / "my_train_lmdb", 50, 1)
    make_database(project / "my_test_lmdb", 15, 2)
    binaryproto.write_mean(project / "mean.binaryproto", mean)
    labels.write(project / "labels.txt", CLASSES)
    return project


def weights(seed: int) -> caffe_pb2.NetParameter:
    rng, net = np.random.default_rng(seed), caffe_pb2.NetParameter(name="small")
    for name, shapes in {"conv": [(6, 3, 3, 3), (6,)], "ip": [(3, 54), (3,)]}.items():
        net.layer.add(name=name, blobs=[blobproto.from_array(rng.normal(size=shape) / 9) for shape in shapes])
    return net


def write_nets(folder: Path, *, train: str = "?", test: str = "?") -> None:
    """The small net as others name its files, with snapshots after 10 and 20 iterations."""
    folder.mkdir(exist_ok=True)
    text = NET.replace('source: "?"', f'source: "{train}"', 1).replace('source: "?"', f'source: "{test}"', 1)
    (folder / "train_val.prototxt").write_text(text)
    (folder / "deploy.prototxt").write_text(DEPLOY)
    (folder / "solver.prototxt").write_text(SOLVER.replace("prototxt/small_train_test.prototxt", "train_val.prototxt"))
    for iteration in (10, 20):
        caffemodel.write(folder / f"snapshot_iter_{iteration}.caffemodel", weights(iteration))
        state = solverstate.State(iteration=iteration, learned_net=f"snapshot_iter_{iteration}.caffemodel", history=())
        solverstate.write(folder / f"snapshot_iter_{iteration}.solverstate", state)


def test_databases_stay_as_they_are(converted):
    databases = [converted / "my_train_lmdb", converted / "my_test_lmdb"]
    found = import_generation(Config(), databases, mean=Path("mean.binaryproto"), names=Path("labels.txt"))
    assert (found.train, found.test, found.shape, found.channel_order) == (50, 15, (3, 9, 8), "BGR")
    for split in ("train", "test"):
        there = (converted / f"my_{split}_lmdb" / "data.mdb").read_bytes()
        assert (GEN0.database(split) / "data.mdb").read_bytes() == there
    assert GEN0.mean.read_bytes() == Path("mean.binaryproto").read_bytes()
    record = GEN0.read()
    assert record.classes == CLASSES
    assert sum(record.counts["train"].values()) == 50
    assert (record.preprocessing.channel_order, record.preprocessing.kernel) == ("BGR", "opencv")
    assert record.snapshots == ()


def test_without_mean_and_labels(converted):
    databases = [Path("my_train_lmdb"), Path("my_test_lmdb")]
    found = import_generation(Config(), databases, channel_order="RGB", number=3)
    assert found.classes == ("0", "1", "2")
    assert generation(Config(), 3).read().preprocessing.channel_order == "RGB"
    expected = binaryproto.read_mean(Path("mean.binaryproto"))
    computed = binaryproto.read_mean(generation(Config(), 3).mean)
    np.testing.assert_allclose(computed, expected, rtol=1e-6)


def test_the_order_given_counts_where_names_say_nothing(converted):
    for old, new in (("my_train_lmdb", "a"), ("my_test_lmdb", "b")):
        Path(old).rename(new)
    found = import_generation(Config(), [Path("b"), Path("a")])
    assert (found.train, found.test) == (15, 50)


def png(pixels: np.ndarray, label: int) -> bytes:
    """As DIGITS stores one: colours in the file are RGB, which OpenCV decodes to BGR."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[::-1].transpose(1, 2, 0)).save(buffer, "PNG")
    return caffe_pb2.Datum(data=buffer.getvalue(), label=label, encoded=True).SerializeToString()


@pytest.fixture
def digits(project: Path) -> Path:
    """An archive with a dataset job and a model job of DIGITS."""
    job, rng = project / "job", np.random.default_rng(4)
    job.mkdir()
    total = np.zeros((3, 9, 8))
    for name, count in (("train_db", 30), ("val_db", 12)):
        with lmdb.Writer(job / name) as writer:
            for index in range(count):
                pixels = picture(index % 3, rng)
                total += pixels if name == "train_db" else 0
                writer.put(b"%08d_%d" % (index, index), png(pixels, index % 3))
    binaryproto.write_mean(job / "mean.binaryproto", total / 30)
    labels.write(job / "labels.txt", CLASSES)
    (job / "status.pickle").write_bytes(b"\x80\x04not to be opened")
    write_nets(job, train="train_db", test="val_db")
    with tarfile.open(project / "job.tar.gz", "w:gz") as archive:
        archive.add(job, "20160101-120000-1a2b")
    shutil.rmtree(job)
    return project / "job.tar.gz"


def test_an_archive_of_digits_can_be_judged(digits):
    found = import_generation(Config(), [digits])
    assert (found.train, found.test, found.classes, found.snapshots) == (30, 12, CLASSES, (10, 20))
    assert found.sources["mean"] == digits / "20160101-120000-1a2b" / "mean.binaryproto"
    model = load(Config(), snapshot="gen0/iter_20")
    assert (model.transform.crop, model.transform.scale, model.output) == (7, pytest.approx(0.01), "prob")
    np.testing.assert_array_equal(model.transform.mean, binaryproto.read_mean(GEN0.mean))
    rng = np.random.default_rng(4)
    records = [(index % 3, picture(index % 3, rng)) for index in [*range(30), *range(12)]][30:]
    batch = next(exam.asked(Config(), model).batches(model, 100))
    np.testing.assert_array_equal(batch.pixels, np.stack([pixels for _, pixels in records]))
    assert [one.truth for one in batch.pictures] == [CLASSES[label] for label, _ in records]


def test_a_zip_is_an_archive_too(digits):
    with tarfile.open(digits) as archive:
        archive.extractall("there", filter="data")
    shutil.make_archive("again", "zip", "there")
    found = import_generation(Config(), [Path("again.zip")])
    assert (found.train, found.test, found.snapshots) == (30, 12, (10, 20))
    Path("damaged.zip").write_bytes(Path("again.zip").read_bytes()[:900])
    with pytest.raises(DataError, match="damaged.zip cannot be unpacked"):
        import_generation(Config(), [Path("damaged.zip")], number=1)


def test_snapshots_and_their_states_keep_their_bytes(digits):
    with tarfile.open(digits) as archive:
        archive.extractall("there", filter="data")
    import_generation(Config(), [digits])
    record = GEN0.read()
    assert [one.iteration for one in record.snapshots] == [10, 20]
    for one in record.snapshots:
        for name in (one.model, one.state):
            original = Path("there/20160101-120000-1a2b") / Path(name).name
            assert (GEN0.folder / name).read_bytes() == original.read_bytes()
    assert resolve(Config(), "gen0/latest").iteration == 20


def test_the_nets_get_the_places_of_the_generation_and_nothing_else(digits):
    import_generation(Config(), [digits])
    net = prototxt.read_net(GEN0.prototxt("train_test"))
    sources = [layer.data_param.source for layer in net.layer if layer.type == "Data"]
    assert sources == [GEN0.database("train").as_posix(), GEN0.database("test").as_posix()]
    assert [layer.data_param.batch_size for layer in net.layer if layer.type == "Data"] == [8, 5]
    assert net.layer[0].transform_param.mean_file == GEN0.mean.as_posix()
    solver = prototxt.read_solver(GEN0.prototxt("solver"))
    assert (solver.net, solver.base_lr) == (GEN0.prototxt("train_test").as_posix(), pytest.approx(0.02))
    assert Path(solver.snapshot_prefix) == GEN0.snapshots / "small"


def test_stages_of_digits_become_phases(digits):
    with tarfile.open(digits) as archive:
        archive.extractall("there", filter="data")
    net = next(Path("there").rglob("train_val.prototxt"))
    net.write_text(net.read_text().replace("phase: TRAIN", 'stage: "train"').replace("phase: TEST", 'stage: "val"'))
    import_generation(Config(), [Path("there")])
    assert load(Config(), snapshot="gen0/iter_20").transform.crop == 7


def test_without_a_deploy_net_it_is_made(digits):
    with tarfile.open(digits) as archive:
        archive.extractall("there", filter="data")
    next(Path("there").rglob("deploy.prototxt")).unlink()
    import_generation(Config(), [Path("there")])
    assert load(Config(), snapshot="gen0/iter_20").output == "prob"


def test_a_real_project_of_2014(project, shared_data):
    """Two pairs of databases: the net's sources say which; and all pictures are found by the keys."""
    home = shared_data / "golden" / "authorship-recognition"
    found = import_generation(Config(), [home])
    assert found.sources["train"] == home / "data" / "train_lmdb"
    assert (found.train, found.test, found.shape, found.pictures) == (38, 17, (3, 28, 28), 55)
    listed = GEN0.manifest.read_text().splitlines()
    assert len(listed) == 55
    assert str(home / "data") in listed[0]


def test_a_real_network_goes_on_and_its_answers_are_those_it_had(project, shared_data):
    """HDF5 snapshots of cifar10_quick of 2016; two solvers of everpeace, the second for the end at a lower rate."""
    with lmdb.Writer(Path("some_train_lmdb")) as writer:
        writer.put(b"0", datum.encode(np.full((3, 32, 32), 99, np.uint8), 3))
    shutil.copytree("some_train_lmdb", "some_test_lmdb")
    home = shared_data / "models"
    databases = [Path("some_train_lmdb"), Path("some_test_lmdb")]
    names = ("cifar10_quick_h5_dmsh", "cifar10_quick_v1_everpeace")
    for number, name in enumerate(names):
        mean = home / "cifar10_quick_v2_simshang" / "mean.binaryproto" if number else None
        found = import_generation(Config(), [*databases, home / name], number=number, mean=mean)
        assert (found.snapshots, found.sources["solver"].name) == ((4000, 5000), "cifar10_quick_solver.prototxt")
        ours = load(Config(), snapshot=f"gen{number}/iter_5000")
        theirs = load(
            Config(),
            snapshot=str(next((home / name).glob("*iter_5000.caffemodel*"))),
            net=home / name / "cifar10_quick.prototxt",
            mean=str(home / "cifar10_quick_v2_simshang" / "mean.binaryproto"),
        )
        pixels = np.random.default_rng(1).integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
        with ours.open() as one, theirs.open() as other:
            np.testing.assert_allclose(
                ours.probabilities(ours.forward(one, pixels)), theirs.probabilities(theirs.forward(other, pixels))
            )


# ---- what is not clear, or does not fit ---------------------------------------------------------------------------


def nothing_was_made() -> bool:
    return not GEN0.folder.exists() and not list(Path("generations").glob("*gen*.tmp*"))


def test_what_exists_is_not_replaced(converted):
    databases = [Path("my_train_lmdb"), Path("my_test_lmdb")]
    import_generation(Config(), databases)
    with pytest.raises(UsageError, match="generation 0 exists already") as caught:
        import_generation(Config(), databases)
    assert "--gen 1" in caught.value.hint


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_databases(converted, count):
    for old, new in (("my_train_lmdb", "a"), ("my_test_lmdb", "b")):
        Path(old).rename(new)
    shutil.copytree("a", "c")
    with pytest.raises(UsageError, match="expected one for training and one for testing"):
        import_generation(Config(), [Path("abc"[index]) for index in range(count)] or [Path("mean.binaryproto")])
    assert not Path("generations").exists()


def test_a_leveldb(converted):
    Path("old_train_leveldb").mkdir()
    Path("old_train_leveldb/CURRENT").write_text("MANIFEST-000002\n")
    Path("old_train_leveldb/MANIFEST-000002").write_bytes(b"")
    with pytest.raises(DataError, match="old_train_leveldb is a LevelDB, which wf does not read"):
        import_generation(Config(), [converted])


def test_labels_that_do_not_fit(converted):
    labels.write(Path("labels.txt"), ("a", "b"))
    with pytest.raises(DataError, match="a record has label 2, but labels.txt names 2 classes"):
        import_generation(Config(), [Path("my_train_lmdb"), Path("my_test_lmdb")], names=Path("labels.txt"))
    write_nets(converted / "nets")
    labels.write(Path("labels.txt"), ("a", "b", "c", "d"))
    with pytest.raises(NetError, match="has 3 outputs, but .*labels.txt names 4 classes"):
        import_generation(Config(), [converted])
    assert nothing_was_made()


def test_a_mean_that_does_not_fit(converted):
    np.save("other.npy", np.ones((3, 5, 5)))
    with pytest.raises(ModelError, match=r"mean other.npy is \(3, 5, 5\), but records are \(3, 9, 8\)"):
        import_generation(Config(), [Path("my_train_lmdb"), Path("my_test_lmdb")], mean=Path("other.npy"))
    assert nothing_was_made()


def test_a_mean_of_numpy_and_one_number_a_channel(converted):
    np.save("mean.npy", np.array([1.0, 2.0, 3.0]))
    import_generation(Config(), [Path("my_train_lmdb"), Path("my_test_lmdb")], mean=Path("mean.npy"))
    assert binaryproto.read_mean(GEN0.mean).mean((1, 2)).tolist() == [1, 2, 3]


def test_damaged_records_and_records_of_several_sizes(converted):
    for key, value in ((b"x", b"\xff\xff"), (b"y", datum.encode(np.zeros((3, 4, 4), np.uint8), 0))):
        shutil.rmtree("bad_train", ignore_errors=True)
        with lmdb.Writer(Path("bad_train")) as writer:
            writer.put(b"a", datum.encode(np.zeros((3, 9, 8), np.uint8), 0))
            writer.put(key, value)
        with pytest.raises(DatabaseError, match=f"record {key.decode()} "):
            import_generation(Config(), [Path("bad_train"), Path("my_test_lmdb")])
    assert nothing_was_made()


def test_snapshots_of_two_nets_and_snapshots_without_a_net(converted):
    write_nets(converted / "nets")
    for path in ("train_val", "deploy", "solver"):
        (converted / "nets" / f"{path}.prototxt").unlink()
    with pytest.raises(UsageError, match="but no training net, which says mean and scale"):
        import_generation(Config(), [converted])
    caffemodel.write(converted / "nets" / "other_iter_5.caffemodel", weights(1))
    with pytest.raises(UsageError, match="found snapshots of several nets"):
        import_generation(Config(), [converted])
    assert nothing_was_made()


def test_an_archive_that_reaches_outside(converted):
    with tarfile.open("bad.tar", "w") as archive:
        entry = tarfile.TarInfo("../outside.txt")
        archive.addfile(entry)
    with pytest.raises(DataError, match="bad.tar cannot be unpacked"):
        import_generation(Config(), [Path("bad.tar")])
    assert not (converted.parent / "outside.txt").exists()


def test_l09_network_file_system(converted, monkeypatch):
    monkeypatch.setattr("workflow.data.place.network_file_system", lambda path: "nfs4")
    databases = [Path("my_train_lmdb"), Path("my_test_lmdb")]
    with pytest.raises(EnvironmentFault, match=r"is on a network file system \(nfs4\)"):
        import_generation(Config(), databases)
    assert import_generation(Config(), databases, allow_network_fs=True).generation == 0


def test_into_a_project_elsewhere_it_is_the_same_generation(tmp_path, monkeypatch):
    for name in ("here", "there"):
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        (folder / "images" / "1.png").write_bytes(b"a picture that the keys name")
        make_database(folder / "my_train_lmdb", 20, 1)
        make_database(folder / "my_test_lmdb", 15, 2)
        write_nets(folder / "nets", train="my_train_lmdb", test="my_test_lmdb")
    monkeypatch.chdir(tmp_path / "here")
    inside = import_generation(Config(), [Path("my_train_lmdb"), Path("my_test_lmdb"), Path("nets")])
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "there"
    paths = [there / "my_train_lmdb", there / "my_test_lmdb", there / "nets"]
    outside = import_generation(rooted(Config(), there), paths)
    assert inside.pictures == outside.pictures > 0
    made = [path.relative_to(tmp_path / "here") for path in (tmp_path / "here" / "generations").rglob("*")]
    for path in made:
        if (there / path).is_file() and path.name not in ("generation.json", "lock.mdb"):
            assert (there / path).read_bytes() == (tmp_path / "here" / path).read_bytes(), path
    assert '"path": "images/1.png"' in (there / "generations/gen0/dataset/images.jsonl").read_text()
    assert 'source: "generations/gen0/' in (there / "generations/gen0/prototxt/train_test.prototxt").read_text()
