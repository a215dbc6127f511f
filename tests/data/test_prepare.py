"""Folders become a generation: what it holds, and each fault of the catalogue on the way."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from workflow.config import Config, rooted
from workflow.data import manifest
from workflow.data.pictures import decode
from workflow.data.prepare import prepare
from workflow.data.sniff import accepted
from workflow.errors import BusyError, DataError, EnvironmentFault, UsageError
from workflow.formats import datum, file_system, labels
from workflow.formats.binaryproto import read_mean
from workflow.formats.lmdb import MAX_KEY, Reader
from workflow.generations import Generation, existing, generation
from workflow.machine import machine


def records(folder: Path) -> list[tuple[bytes, np.ndarray, int]]:
    with Reader(folder) as reader:
        return [(key, *datum.decode(value)) for key, value in map(reader.read, range(len(reader)))]


def newest(tmp_path: Path) -> Generation:
    return existing(rooted(Config(), tmp_path))


@pytest.fixture
def images(tmp_path, labelled) -> Path:
    """Twelve cats and ten dogs."""
    return labelled(tmp_path / "images", cat=12, dog=10)


# ---- what it holds --------------------------------------------------------------------------------------------


def test_a_generation_explains_itself(images, settings, tmp_path):
    result = prepare(settings(), command=("wf", "prepare"))
    one = newest(tmp_path)
    record = one.read()
    assert (result.generation, result.classes) == (1, ("cat", "dog"))
    assert result.train + result.test == 22
    assert record.number == 1
    assert record.parent is None
    assert record.classes == labels.read(one.labels) == ("cat", "dog")
    assert sum(record.counts["train"].values()) == result.train
    assert record.counts["train"]["dog"] + record.counts["test"]["dog"] == 10
    assert record.commands == (("wf", "prepare"),)
    assert record.config.split.test == 0.5
    assert set(record.versions) >= {"wf", "numpy", "Pillow", "lmdb", "python"}
    for name, expected in record.hashes.items():
        assert hashlib.sha256((one.dataset / name).read_bytes()).hexdigest() == expected
    assert sorted(path.name for path in one.folder.iterdir()) == ["dataset", "generation.json"]
    assert sorted(path.name for path in one.dataset.iterdir()) == [
        "files.npz", "images.jsonl", "labels.txt", "mean.binaryproto", "pictures.png", "test_lmdb", "train_lmdb",
    ]  # fmt: skip


def test_records_are_what_decode_gives_in_the_order_of_the_manifest(images, settings, tmp_path):
    config = settings()
    result = prepare(config)
    one = newest(tmp_path)
    listed = list(manifest.read(one))
    assert len(listed) == 22
    for split, count in (("train", result.train), ("test", result.test)):
        mine = [image for image in listed if image.split == split]
        found = records(one.database(split))
        assert len(mine) == len(found) == count
        for number, (image, (key, pixels, label)) in enumerate(zip(mine, found, strict=True)):
            path = Path(image.path)
            assert key == f"{number:08d}_{path.relative_to(images)}".encode()
            np.testing.assert_array_equal(pixels, decode(path, config.preprocessing))
            assert label == ("cat", "dog").index(path.parent.name)
            assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert image.crc32 == zlib.crc32(datum.encode(pixels, label))


def test_the_mean_is_that_of_the_training_pictures(images, settings, tmp_path):
    prepare(settings())
    one = newest(tmp_path)
    pixels = np.stack([pixels for _, pixels, _ in records(one.database("train"))])
    np.testing.assert_allclose(read_mean(one.mean), pixels.mean(axis=0, dtype=np.float64), atol=1e-4)


def test_classes_are_mixed_and_the_order_is_the_seeds(images, settings, tmp_path):
    orders = []
    for seed in (1, 1, 2):
        prepare(settings(seed=seed), number=1, force=True)
        orders.append([label for _, _, label in records(newest(tmp_path).database("train"))])
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


def test_workers_do_not_change_a_byte(images, settings, tmp_path):
    hashes = []
    for workers in (1, 3):
        prepare(settings(workers=workers), number=1, force=True)
        hashes.append(newest(tmp_path).read().hashes)
    assert hashes[0] == hashes[1]


def test_folders_decide_where_they_are_called_train_and_test(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=10, cat=2, dog=2)
    result = prepare(settings())
    assert (result.train, result.test) == (6, 4)
    assert {Path(one.path).parent.parent.name == one.split for one in manifest.read(newest(tmp_path))} == {True}


def test_the_next_generation_says_what_changed(images, settings, tmp_path, labelled):
    prepare(settings())
    sides = {image.sha256: image.split for image in manifest.read(newest(tmp_path))}
    (images / "cat" / "0.png").unlink()
    (images / "cat" / "1.png").rename(images / "dog" / "was_a_cat.png")
    labelled(images, first=50, cat=3)
    result = prepare(settings(test=0.3))
    assert result.generation == 2
    changes = result.changes
    assert (changes.against, changes.added, changes.removed, changes.relabelled) == (1, 3, 1, 1)
    assert (changes.to_train, changes.to_test) == (0, 0)
    for image in manifest.read(newest(tmp_path)):
        assert image.split == sides.get(image.sha256, image.split)
    assert newest(tmp_path).read().parent == 1


def test_a_test_picture_that_a_folder_puts_into_training_is_told(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=10, cat=3, dog=3)
    prepare(settings())
    (tmp_path / "images/test/cat/10.png").rename(tmp_path / "images/train/cat/10.png")
    result = prepare(settings())
    assert result.changes.to_train == 1
    assert any("1 test image of generation 1 in train/ now" in text for text in result.warnings)


def test_a_deleted_data_set_of_the_generation_before_is_told(images, settings, tmp_path):
    prepare(settings())
    shutil.rmtree(newest(tmp_path).dataset)
    result = prepare(settings())
    assert any("is gone: which pictures were test pictures is not known" in text for text in result.warnings)


def test_the_settings_are_recorded(images, settings, tmp_path):
    prepare(settings(test=0.5, max_pixels=1000))
    config = newest(tmp_path).read().config
    assert config.split.test == 0.5
    assert config.prepare.max_pixels == 1000


def test_progress_and_json(images, settings):
    seen = []
    result = prepare(settings(), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 22)
    assert seen[-1] == (22, 22)
    document = json.loads(json.dumps(result.to_json()))
    assert document["generation"] == 1
    assert document["skipped"] == []
    assert document["changes"]["against"] is None


def test_in_a_project_paths_are_relative(project, labelled, settings):
    labelled(project / "images", cat=12, dog=12)
    prepare(settings(), [Path("images")])
    assert all(image.path.startswith(("images/cat/", "images/dog/")) for image in manifest.read(existing(Config())))


# ---- files that are no pictures -------------------------------------------------------------------------------


def reasons(result) -> dict[str, str]:
    return {Path(path).name: reason for path, reason in result.skipped}


def test_p06_empty_file(images, settings, tmp_path, caplog):
    (images / "cat" / "0.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING, "workflow"):
        result = prepare(settings())
    assert reasons(result) == {"0.png": "is empty"}
    assert "skipped 1 of 22 images: 1 empty; images.jsonl lists them" in caplog.messages
    assert list(result.warnings) == caplog.messages
    last = (newest(tmp_path).manifest).read_text().splitlines()[-1]
    assert json.loads(last) == {"path": str(images / "cat" / "0.png"), "reason": "is empty"}


def test_p06_strict(images, settings, tmp_path):
    (images / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 file cannot be used \(1 empty\), first: .*0\.png is empty"):
        prepare(settings(), strict=True)
    assert not (tmp_path / "generations" / "gen1").exists()


def test_p07_truncated_picture(images, settings, draw):
    path = draw(images / "cat" / "0.jpg", 77, size=(90, 80))
    path.write_bytes(path.read_bytes()[:-100])
    assert reasons(prepare(settings()))["0.jpg"].startswith("is truncated")


def test_p08_many_unreadable(images, settings, tmp_path):
    for index in range(3):
        (images / "cat" / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"3 of 22 images unreadable \(14%\)") as caught:
        prepare(settings())
    assert "--max-bad 0.14" in caught.value.hint
    assert list((tmp_path / "generations").glob("gen*")) == []
    (images / "cat" / "a.svg").write_bytes(b"<svg/>")
    with pytest.raises(DataError, match=r"3 of 23 images unreadable \(13%\), more than 5%; 3 empty; first: "):
        prepare(settings())
    assert len(prepare(settings(max_bad=0.14)).skipped) == 4


def test_p09_html_and_lfs_pointers(images, settings):
    (images / "cat" / "page.jpg").write_bytes(b"<!doctype html><title>404</title>")
    (images / "dog" / "pointer.jpg").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    result = prepare(settings(max_bad=0.5))
    assert reasons(result) == {"page.jpg": "is HTML, not an image", "pointer.jpg": "is a git-lfs pointer"}
    assert any("git lfs pull" in text for text in result.warnings)


def test_p10_wrong_extension_is_only_noted(images, settings, caplog):
    (images / "cat" / "0.png").rename(images / "cat" / "0.jpg")
    with caplog.at_level(logging.DEBUG, "workflow"):
        result = prepare(settings())
    assert result.skipped == result.warnings == ()
    assert "1 with a wrong extension" in caplog.text


def test_p11_heic_and_svg_do_not_count_as_broken(images, settings):
    for index in range(8):
        (images / "cat" / f"{index}.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (images / "cat" / "a.svg").write_bytes(b"<svg/>")
    result = prepare(settings())
    assert len(result.skipped) == 9
    assert "8 HEIC: pip install pillow-heif, or convert them to JPEG or PNG" in result.warnings


def test_p12_bomb(images, settings, draw):
    draw(images / "cat" / "large.png", 5, size=(101, 100))
    result = prepare(settings(max_pixels=10_000))
    assert reasons(result) == {"large.png": "is 101×100 = 0.0101 Mpx, more than the limit of 0.01 (prepare.max_pixels)"}
    assert "1 too large: --max-pixels, or prepare.max_pixels in the settings, raises the limit" in result.warnings


def test_p13_formats_that_are_not_accepted(images, settings, draw):
    draw(images / "cat" / "a.tiff", 5)
    (images / "cat" / "b.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    listed = f"which is not accepted (accepted: {', '.join(accepted())})"
    assert reasons(prepare(settings())) == {"a.tiff": f"is TIFF, {listed}", "b.png": f"is EPS, {listed}"}


def test_p14_animations_give_their_first_frame(images, settings, caplog):
    first, second = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    first.save(images / "cat" / "moving.webp", save_all=True, append_images=[second], lossless=True)
    with caplog.at_level(logging.DEBUG, "workflow"):
        assert prepare(settings()).skipped == ()
    assert "first frame used of 1 animations" in caplog.text


def test_p15_sixteen_bits(images, settings):
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(images / "cat" / "deep.png")
    assert "1 image of 16 bits, scaled by 1/257" in prepare(settings()).warnings


def test_p18_small_pictures_are_counted(images, settings, draw):
    draw(images / "cat" / "tiny.png", 5, size=(1, 1))
    assert "1 image smaller than 5×7, enlarged" in prepare(settings()).warnings


def test_p19_p20_links_and_pipes(images, settings):
    (images / "cat" / "loop").symlink_to(images / "cat", target_is_directory=True)
    os.mkfifo(images / "cat" / "pipe.png")
    result = prepare(settings())
    assert reasons(result) == {"pipe.png": "is not a regular file"}
    assert any("not following symlink" in text for text in result.warnings)


def test_p21_unreadable_files_are_all_named_at_once(open_folder, labelled, settings, nobody, tmp_path):
    labelled(open_folder / "images", cat=6, dog=6)
    for index in range(3):
        (open_folder / "images" / "cat" / f"{index}.png").chmod(0)
    config = structs.replace(settings(), generations=open_folder / "generations")
    with nobody(), pytest.raises(EnvironmentFault, match="cannot read 3 files .permission denied., first: ") as caught:
        prepare(config, [open_folder / "images"])
    assert caught.value.fault == "P21"
    assert list((open_folder / "generations").glob("gen*")) == []


def test_p22_p23_odd_names(images, settings, tmp_path):
    odd = [os.fsdecode(b"caf\xe9.png"), 'a "b"\n.png', "-rf 🐈.png"]
    for index, name in enumerate(odd):
        (images / "cat" / f"{index}.png").rename(images / "cat" / name)
    result = prepare(settings())
    assert result.train + result.test == 22
    one = newest(tmp_path)
    names = {Path(image.path).name for image in manifest.read(one)}
    assert names >= set(odd)
    keys = [key for split in ("train", "test") for key, _, _ in records(one.database(split))]
    assert any(key.endswith(b"cat/caf\xe9.png") for key in keys)


def test_p24_long_paths(images, settings, tmp_path):
    for number, tail in enumerate("ab"):
        deep = images / "cat" / ("d" * 200) / ("e" * 200)
        deep.mkdir(parents=True, exist_ok=True)
        (images / "cat" / f"{number}.png").rename(deep / ("f" * 200 + tail + ".png"))
    prepare(settings())
    one = newest(tmp_path)
    keys = [key for split in ("train", "test") for key, _, _ in records(one.database(split))]
    long = [key for key in keys if len(key) > 300]
    assert [len(key) for key in long] == [MAX_KEY, MAX_KEY]
    assert long[0][9:] != long[1][9:]
    assert sum(len(image.path) > 600 for image in manifest.read(one)) == 2


def test_p26_litter(images, settings, caplog):
    for name in (".DS_Store", "._0.png", "Thumbs.db"):
        (images / "cat" / name).write_bytes(b"x")
    with caplog.at_level(logging.DEBUG, "workflow"):
        assert prepare(settings()).skipped == ()
    assert "3 hidden files ignored" in caplog.text


def test_p27_duplicates(images, settings):
    shutil.copy(images / "cat" / "3.png", images / "cat" / "copy.png")
    result = prepare(settings())
    assert result.train + result.test == 22
    assert "1 duplicate image ignored" in result.warnings
    assert reasons(result) == {"copy.png": f"has the same bytes as {images / 'cat' / '3.png'}"}


def test_p27_of_copies_in_train_and_test_the_test_picture_stays(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=2, cat=3, dog=3)
    result = prepare(settings())
    assert (result.train, result.test) == (4, 6)
    assert all("/train/" in path for path, _ in result.skipped)


def test_p28_the_same_picture_in_two_classes(images, settings):
    shutil.copy(images / "cat" / "3.png", images / "dog" / "cat3.png")
    with pytest.raises(
        DataError, match=r"1 image appears in two classes, e\.g\. .*cat/3\.png = .*dog/cat3\.png"
    ) as caught:
        prepare(settings())
    assert "--on-conflict skip" in caught.value.hint
    result = prepare(settings(on_conflict="skip"))
    assert result.train + result.test == 21
    assert set(reasons(result)) == {"3.png", "cat3.png"}


def test_p29_nearly_equal_pictures_stay_on_one_side(images, settings, tmp_path):
    for index in range(12):
        image = Image.open(images / "cat" / f"{index}.png")
        image.save(images / "cat" / f"copy{index}.bmp")
    result = prepare(settings())
    sides: dict[str, set[str]] = {}
    for image in manifest.read(newest(tmp_path)):
        sides.setdefault(Path(image.path).stem.removeprefix("copy") + Path(image.path).parent.name, set()).add(
            image.split
        )
    assert {len(found) for found in sides.values()} == {1}
    said = "24 images nearly equal to others, in 12 groups; each group is kept on one side of the split"
    assert said in result.warnings


def test_p29_where_folders_decide_it_is_only_told(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=10, cat=3, dog=3)
    Image.open(tmp_path / "images/train/cat/1.png").save(tmp_path / "images/test/cat/copy.bmp")
    assert "leak: 1 test image nearly equal to training ones" in prepare(settings()).warnings


def test_p30_imbalance(tmp_path, labelled, settings):
    labelled(tmp_path / "images", cat=33, fox=8)
    (warning,) = prepare(settings(test=0.4)).warnings
    assert warning.startswith("'fox' has 8 images, 'cat' 33: the net will prefer 'cat'; add pictures, or train with")


def test_p31_a_file_vanishes_meanwhile(images, settings, tmp_path):
    def vanish(done: int, total: int) -> None:
        (images / "cat" / "9.png").unlink(missing_ok=True)

    with pytest.raises(DataError, match=r"cat/9\.png disappeared while pictures were being read") as caught:
        prepare(settings(), progress=vanish)
    assert caught.value.fault == "P31"
    assert list((tmp_path / "generations").glob("gen*")) == []


# ---- the place ------------------------------------------------------------------------------------------------


def test_p32_not_enough_disk(tmp_path, settings):
    free = shutil.disk_usage(tmp_path).free
    files = 2 * free // 100_000_000 + 2  # each would take 100 MB, and others may free some meanwhile
    if files > 20_000:
        pytest.skip("the disk is too large to be too small")
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
    for index in range(files):
        (tmp_path / "images" / ("cat", "dog")[index % 2] / f"{index}.png").write_bytes(b"")
    config = settings()
    large = structs.replace(config.preprocessing, width=4096, height=4096)
    with pytest.raises(EnvironmentFault, match=r"needs about [\d.,]+ GB, [\d.,]+ GB free in") as caught:
        prepare(structs.replace(config, preprocessing=large))
    assert caught.value.exit_code == 6


@pytest.fixture
def small_disk():
    """A file system of 3 MB.

    It is no folder of pytest's: a later run could not remove what a run that was killed had left mounted.
    """
    place = Path(tempfile.mkdtemp(prefix="wf-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        place.rmdir()
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)
    place.rmdir()


@pytest.mark.parametrize("moment", [0, 22])
def test_p33_disk_full_while_writing(images, settings, small_disk, moment):
    config = structs.replace(settings(), generations=small_disk / "generations")
    prepare(config)
    before = (small_disk / "generations/gen1/generation.json").read_bytes()

    def fill(done: int, total: int) -> None:
        if done == moment:
            with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as file:
                while file.write(b"x" * 4096):
                    pass

    with pytest.raises(EnvironmentFault, match=r"disk full while writing gen1 \(nothing was changed\)") as caught:
        prepare(config, number=1, force=True, progress=fill)
    assert caught.value.fault == "P33"
    assert [path.name for path in (small_disk / "generations").glob("gen*")] == ["gen1"]
    assert (small_disk / "generations/gen1/generation.json").read_bytes() == before


def test_p34_leftovers_are_swept(images, settings, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / "generations" / f"gen7.tmp-{machine()}-{ended.pid}"
    (left / "dataset").mkdir(parents=True)
    result = prepare(settings())
    assert result.generation == 1
    assert f"removed leftovers of an interrupted prepare: {left.name}" in result.warnings


def test_p35_a_generation_that_exists(images, settings, tmp_path):
    prepare(settings())
    one = generation(rooted(Config(), tmp_path), 1)
    one.snapshots.mkdir()
    (one.snapshots / "net_iter_10.caffemodel").write_bytes(b"weights")
    with pytest.raises(UsageError, match=r"generation 1 exists \(20\d\d-\d\d-\d\d, 22 images\)") as caught:
        prepare(settings(), number=1)
    assert caught.value.hint == f"--gen 2, or --force to replace it and keep this one in {one.folder / 'before-1'}"
    (images / "cat" / "0.png").write_bytes(b"broken")
    with pytest.raises(DataError):
        prepare(settings(), number=1, force=True, strict=True)
    assert (one.snapshots / "net_iter_10.caffemodel").exists()
    result = prepare(settings(), number=1, force=True)
    assert result.train + result.test == 21
    assert any(
        text.startswith("--force: generation 1 (")
        and text.endswith(f"kept in {one.folder / 'before-1'}, with its snapshots")
        for text in result.warnings
    )
    assert not one.snapshots.exists()
    assert (one.folder / "before-1" / "snapshots" / "net_iter_10.caffemodel").read_bytes() == b"weights"


def test_p36_new_classes_are_appended(images, settings, labelled):
    prepare(settings())
    labelled(images, ape=12)
    result = prepare(settings(max_bad=0.5, on_conflict="skip"))
    assert result.classes == ("cat", "dog", "ape")
    assert result.changes.new_classes == ("ape",)
    assert "new class 'ape' gets number 2" in result.warnings


def test_p37_classes_that_are_gone(images, settings, labelled, tmp_path):
    labelled(images, eel=12)
    prepare(settings())
    (images / "dog").rename(images / "puppy")
    with pytest.raises(DataError, match=r"class 'dog' \(number 1\) of generation 1 is gone"):
        prepare(settings())
    renamed = prepare(settings(), rename_classes={"dog": "puppy"})
    assert renamed.classes == ("cat", "puppy", "eel")
    assert renamed.changes.relabelled == 0
    assert renamed.changes.renamed_classes == {"dog": "puppy"}
    shutil.rmtree(images / "puppy")
    dropped = prepare(settings(), drop_classes=["puppy"])
    assert dropped.classes == ("cat", "puppy", "eel")
    assert newest(tmp_path).read().counts["train"]["puppy"] == 0
    assert dropped.changes.dropped_classes == ("puppy",)
    assert prepare(settings(), force=True).classes == ("cat", "puppy", "eel")


def test_p38_a_class_without_test_pictures(tmp_path, labelled, settings):
    labelled(tmp_path / "images", cat=30, fox=3)
    with pytest.raises(DataError, match="0 test images for '(cat|fox)' with a test share of 0.01") as caught:
        prepare(settings(test=0.01))
    share = float(caught.value.hint.rpartition(" ")[2])
    result = prepare(settings(test=share))
    assert result.test > 1


def test_p38_where_folders_decide(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=10, cat=3)
    with pytest.raises(DataError, match="0 test images for 'dog'") as caught:
        prepare(settings())
    assert caught.value.hint == "add images of 'dog'"


def test_p01_to_p05_by_way_of_prepare(tmp_path, labelled, settings):
    with pytest.raises(UsageError, match="no such folder"):
        prepare(settings(), [tmp_path / "nowhere"])
    labelled(tmp_path / "images", cat=5)
    with pytest.raises(DataError, match=r"only one class \('cat'\)"):
        prepare(settings())
    labelled(tmp_path / "images", fox=1, dog=5)
    with pytest.raises(DataError, match="class 'fox' has 1 usable image, need 2") as caught:
        prepare(settings())
    assert caught.value.hint == "add images or --drop-class fox"
    (tmp_path / "images" / "empty").mkdir()
    with pytest.raises(DataError, match="class 'empty' has 0 usable images"):
        prepare(settings(), drop_classes=["fox"])
    assert list((tmp_path / "generations").glob("gen*")) == []


def test_l09_network_file_system(images, settings, tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 / {tmp_path} rw - nfs4 server:/share rw\n")
    monkeypatch.setattr(file_system, "_MOUNTS", mounts)
    with pytest.raises(EnvironmentFault, match=r"is on a network file system \(nfs4\)") as caught:
        prepare(settings())
    assert "--allow-network-fs" in caught.value.hint
    assert prepare(settings(), allow_network_fs=True).generation == 1


def test_t10_one_process_at_a_time(images, settings, tmp_path):
    with generation(rooted(Config(), tmp_path), 1).held("wf train"), pytest.raises(BusyError, match="in use by pid"):
        prepare(settings())


def test_a_place_that_cannot_be_written(open_folder, labelled, settings, nobody):
    labelled(open_folder / "images", cat=6, dog=6)
    (open_folder / "generations").mkdir(mode=0o755)
    config = structs.replace(settings(), generations=open_folder / "generations")
    with nobody(), pytest.raises(EnvironmentFault, match="permission denied"):
        prepare(config, [open_folder / "images"])


def test_numbers_begin_with_one(images, settings):
    with pytest.raises(UsageError, match="numbered from 1"):
        prepare(settings(), number=0)
