"""What the last preparation knew: files that are as they were are not read, and the same data set comes of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import structs

from workflow.config import Config, Split
from workflow.data.corrections import Correction, add
from workflow.data.prepare import prepare
from workflow.data.result import PrepareResult
from workflow.errors import DatabaseError
from workflow.generations import Generation, generation

Make = Callable[..., Config]
LONG_AGO = 1_600_000_000  # seconds


def age(folder: Path) -> None:
    """Give all files a time of long ago, as files have that are not being written."""
    for path in folder.rglob("*.png"):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def just_now(monkeypatch: pytest.MonkeyPatch) -> float:
    """The time, in seconds, at which all preparations begin, however long the test takes."""
    now = time.time()
    monkeypatch.setattr("workflow.data.prepare.time", SimpleNamespace(time_ns=lambda: int(now * 10**9)))
    return now


def again(config: Config, **options: object) -> PrepareResult:
    return prepare(config, force=True, **options)


def dataset(one: Generation) -> dict[str, bytes]:
    """Every file of a data set, without the times at which its own databases were written."""
    files = {str(path.relative_to(one.dataset)): path.read_bytes() for path in one.dataset.rglob("*.*")}
    del files[one.files.name]
    with np.load(one.files) as kept:
        return files | {name: kept[name].tobytes() for name in kept.files if name != "databases"}


@pytest.fixture
def images(tmp_path: Path, labelled: Callable[..., Path]) -> Path:
    """Twelve cats and ten dogs, one of them twice, and a file that is no picture; all of long ago."""
    folder = labelled(tmp_path / "images", cat=12, dog=10)
    shutil.copy(folder / "cat" / "3.png", folder / "cat" / "copy.png")
    (folder / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n")
    age(folder)
    return folder


@pytest.fixture
def config(settings: Make) -> Config:
    return structs.replace(settings(max_bad=0.2), split=Split(test=0.3, validation=0.3))


def test_a_second_preparation_reads_nothing_and_gives_the_same_bytes(images, config):
    assert prepare(config).known == 0
    second = again(config)
    assert (second.known, second.files) == (23, 24)  # what is no picture is looked at again
    assert again(config, rehash=True).known == 0
    first, second, third = (dataset(generation(config, number)) for number in (1, 2, 3))
    assert first == second == third


def test_a_grown_set_gives_the_same_bytes_as_one_that_is_read(images, config, labelled, draw, tmp_path, just_now):
    prepare(config)
    labelled(images, first=50, cat=3, owl=4)
    draw(images / "cat" / "5.png", 1234)  # another picture under an old name
    (images / "dog" / "1.png").unlink()
    (images / "dog" / "2.png").rename(images / "cat" / "dog2.png")
    digest = hashlib.sha256((images / "dog" / "4.png").read_bytes()).hexdigest()
    add(config.generations, [Correction(sha256=digest, path="images/dog/4.png", label="dog", to="cat")])
    digest = hashlib.sha256((images / "dog" / "6.png").read_bytes()).hexdigest()
    add(config.generations, [Correction(sha256=digest, path="images/dog/6.png", label="dog", remove=True)])
    age(images / "owl")
    known = again(config)
    files = dataset(generation(config, 2))
    shutil.rmtree(generation(config, 2).folder)
    read = again(config, rehash=True)
    assert (known.known, read.known) == (20, 0)
    assert facts_of(known) == facts_of(read)
    assert files == dataset(generation(config, 2))
    third = again(config)  # what was removed has no record, and four files are of just now
    assert third.known == known.files - 6


def facts_of(result: PrepareResult) -> dict[str, object]:
    return {name: value for name, value in result.to_json().items() if name != "known"}


def test_other_settings_read_everything(images, config):
    prepare(config)
    smaller = structs.replace(config, preprocessing=structs.replace(config.preprocessing, width=4))
    assert again(smaller).known == 0
    assert again(structs.replace(config, prepare=structs.replace(config.prepare, max_pixels=10**6))).known == 0
    other = structs.replace(config, split=Split(test=0.5, validation=0.0))
    assert again(structs.replace(other, prepare=structs.replace(config.prepare, max_pixels=10**6, seed=7))).known == 23


def test_a_file_of_the_same_size_and_time_is_taken_for_the_same(images, config):
    prepare(config)
    path = images / "dog" / "7.png"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # the last checksum, which no decoder reads
    os.utime(path, (LONG_AGO, LONG_AGO))
    old = hashlib.sha256(data).hexdigest()
    again(config)
    assert old in generation(config, 2).manifest.read_text()
    again(config, rehash=True)
    assert old not in generation(config, 3).manifest.read_text()


@pytest.mark.parametrize("change", ["size", "time", "name"])
def test_what_changed_is_read(images, config, change):
    prepare(config)
    path = images / "dog" / "7.png"
    if change == "size":
        path.write_bytes(path.read_bytes() + b"more")
        os.utime(path, (LONG_AGO, LONG_AGO))
    elif change == "time":
        os.utime(path, ns=(0, LONG_AGO * 10**9 + 1))
    else:
        path.rename(path.with_name("other.png"))
    assert again(config).known == 22


def test_a_file_that_is_gone_is_not_missed(images, config):
    prepare(config)
    (images / "dog" / "7.png").unlink()
    result = again(config)
    assert (result.known, result.files, result.changes.removed) == (22, 23, 1)


@pytest.mark.parametrize("seconds", [-1.9, 0, 3600])
def test_files_of_just_now_or_of_later_are_not_remembered(images, config, seconds, just_now):
    path = images / "dog" / "7.png"
    os.utime(path, (just_now + seconds,) * 2)  # it may change again in the same step of the clock
    prepare(config)
    assert again(config).known == 22


def test_a_clock_that_went_back_hides_no_change(images, config, draw):
    prepare(config)
    draw(images / "dog" / "7.png", 99)
    os.utime(images / "dog" / "7.png", (LONG_AGO - 10**6,) * 2)
    assert again(config).known == 22


@pytest.mark.parametrize("damage", ["gone", "cut", "empty", "words", "bytes", "manifest"])
def test_a_damaged_record_only_costs_time(images, config, damage):
    prepare(config)
    one = generation(config, 1)
    data = one.files.read_bytes()
    if damage == "gone":
        one.files.unlink()
    elif damage == "manifest":
        one.manifest.write_text(one.manifest.read_text().replace("cat/1.png", "cat/8.png"))
    else:
        middle = len(data) // 2
        broken = {"cut": data[:middle], "empty": b"", "words": b"no archive"}
        one.files.write_bytes(broken.get(damage, data[:middle] + bytes(8) + data[middle + 8 :]))
    expected = dataset(one) if damage == "manifest" else None
    result = again(config)
    assert result.known == 0
    if expected is None:
        again(config, rehash=True)
        expected = dataset(generation(config, 3))
        assert expected == dataset(generation(config, 2))


def test_a_damaged_database_is_not_copied(images, config):
    prepare(config)
    path = generation(config, 1).database("train") / "data.mdb"
    status, data = path.stat(), bytearray(path.read_bytes())
    where = data.index(b"\x22\x69", 2 * 4096)  # 105 pixels follow
    data[where + 9] ^= 1
    path.write_bytes(data)
    assert again(config).known < 23  # another time: its hash is compared, and its pictures are read
    shutil.rmtree(generation(config, 2).folder)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    with pytest.raises(DatabaseError, match=r"generation 1 holds another picture than it recorded for .*png") as caught:
        again(config)
    assert "wf prepare --rehash" in caught.value.hint
    assert again(config, rehash=True).train


def test_a_replaced_generation_serves_its_own_successor(images, config):
    prepare(config, number=1)
    assert again(config, number=1).known == 23


def test_a_project_that_was_moved_still_knows(images, config, tmp_path, monkeypatch):
    home = structs.replace(config, images=(Path("images"),), generations=Path("generations"))
    monkeypatch.chdir(tmp_path)
    prepare(home)
    shutil.copytree(tmp_path, target := tmp_path.with_name(f"{tmp_path.name}-moved"), copy_function=shutil.copy2)
    monkeypatch.chdir(target)
    assert again(home).known == 23
