"""Objects in fsspec's own stores: one in memory, and one that is a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from workflow.data.sniff import PictureError
from workflow.data.sources import objects, reading
from workflow.data.sources.listing import items, listed
from workflow.errors import DataError, EnvironmentFault, UsageError
from workflow.paths import path_or_address, redacted


@pytest.fixture(params=["memory", "local"])
def pile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of three objects and hidden ones."""
    address = f"memory://{tmp_path.name}/pile" if request.param == "memory" else f"local://{tmp_path}/pile"
    store = fsspec.filesystem(request.param)
    for name in ("b/2.jpg", "b/1.jpg", "a?[x]* é.jpg", ".hidden.jpg", "b/__MACOSX/1.jpg"):
        store.makedirs(os.path.dirname(store._strip_protocol(f"{address}/{name}")), exist_ok=True)  # noqa: PTH120
        store.pipe_file(store._strip_protocol(f"{address}/{name}"), name.encode())
    yield address
    store.rm(store._strip_protocol(address), recursive=True)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr(objects.time, "sleep", pauses.append)
    return pauses


def names(found: list[bytes], pile: str) -> list[str]:
    return [os.fsdecode(item.partition(b"\0")[0]).removeprefix(f"{pile}/") for item in found]


def test_objects_are_listed_folder_by_folder_and_read(pile):
    found = list(items(f"{pile}/", []))
    assert names(found, pile) == ["a?[x]* é.jpg", "b/1.jpg", "b/2.jpg"]
    read = reading.reader(found, 100)
    assert [read(place)[0].decode() for place in range(3)] == names(found, pile)
    assert [reading.read(item, 100) for item in found] == [read(place) for place in (0, 1, 2)]
    assert reading.size(found[0]) == len("a?[x]* é.jpg".encode())
    address = f"{pile}/b/1.jpg"
    assert list(items(address, [])) == [found[1]] == [objects.item_of(address)]
    assert reading.read(address.encode(), 100) == reading.read(found[1], 100)
    assert reading.whole(address) == b"b/1.jpg"
    assert reading.exists(address)
    assert reading.state(address.encode()) == reading.state(found[1])


def test_what_is_not_there(pile):
    assert not reading.exists(f"{pile}/b/3.jpg")
    assert reading.state(f"{pile}/b/3.jpg".encode()) is None
    with pytest.raises(FileNotFoundError):
        reading.read(f"{pile}/b/3.jpg".encode(), 100)
    with pytest.raises(FileNotFoundError):
        reading.whole(f"{pile}/b")  # which is no object
    with pytest.raises(UsageError, match="there is nothing at .*nowhere") as caught:
        list(items(f"{pile}/nowhere", []))
    assert caught.value.fault == "P01"


def test_p31_an_object_that_changes(pile):
    item = objects.item_of(f"{pile}/b/1.jpg")
    objects.write(f"{pile}/b/1.jpg", b"longer than it was")
    for read in (lambda: reading.read(item, 100), lambda: reading.reader([item], 100)(0)):
        with pytest.raises(OSError, match="changed while being read"):
            read()
    assert objects.state_of(objects.item_of(f"{pile}/b/1.jpg").partition(b"\0")[2]) != reading.state(item)
    with pytest.raises(PictureError, match="more than a picture needs"):
        reading.reader([item], 4)(0)


def test_an_object_is_made_once(pile):
    assert objects.create(f"{pile}/new", b"1")
    assert not objects.create(f"{pile}/new", b"2")
    assert objects.read(f"{pile}/new") == b"1"


def test_p42_a_store_that_refuses_is_asked_again(pile, hurried, monkeypatch):
    store = fsspec.filesystem(pile.partition(":")[0])
    kind, fails = type(store), []

    def refusing(times, real):
        def call(self, *rest, **options):
            if len(fails) < times:
                fails.append(rest)
                raise OSError("503 https://key:secret@store/x?X-Amz-Signature=secret slow down")
            return real(self, *rest, **options)

        return call

    whole = list(items(pile, []))
    for name in ("ls", "cat_file"):
        fails.clear()
        hurried.clear()
        monkeypatch.setattr(kind, name, refusing(3, getattr(kind, name)))
        assert list(items(pile, [])) == whole
        assert [reading.read(item, 100)[0].decode() for item in whole] == names(whole, pile)
        assert hurried == [0.5, 1, 2]
        monkeypatch.undo()
        monkeypatch.setattr(objects.time, "sleep", hurried.append)
    monkeypatch.setattr(kind, "ls", refusing(99, kind.ls))
    fails.clear()
    with pytest.raises(
        EnvironmentFault, match=r"the store of .*/pile refuses \(503 https://…@store/x\?… slow down\)"
    ) as caught:
        list(items(pile, []))
    assert (caught.value.fault, caught.value.exit_code, len(fails)) == ("P42", 6, 5)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["s3://key:secret@bucket/pile", "s3://key:sec/ret@bucket/pile", "s3://bucket/x?token=secret",
     "https://store/x?sig=secret", "ftp://key:secret@store/x"],
)  # fmt: skip
def test_p42_no_address_with_credentials_is_read_or_shown(address, tmp_path):
    with pytest.raises(UsageError) as caught:
        list(items(address, []))
    (tmp_path / "list.txt").write_text(f"{address}\n")
    with pytest.raises(DataError, match=r"list.txt:1: ") as on_a_list:
        list(listed(tmp_path / "list.txt", []))
    for error in (caught.value, on_a_list.value):
        assert "secret" not in str(error)
        assert "ret@" not in str(error)
    assert caught.value.fault in ("P42", "P01")


def test_p42_what_to_install(monkeypatch):
    for package, protocol, hint in (("s3fs", "s3", "pip install s3fs"), ("fsspec", "gs", "pip install 'wf[cluster]'")):
        objects._system.cache_clear()
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(EnvironmentFault, match="not installed") as caught:
            list(items(f"{protocol}://bucket/pile", []))
        assert caught.value.hint == hint
        assert caught.value.exit_code == 6
    objects._system.cache_clear()


def test_nothing_imports_fsspec_before_there_is_an_address(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    code = (
        "import sys; sys.modules['fsspec'] = None; import workflow.data.prepare, workflow.exams.files; "
        "from workflow.exams.files import pictures; from pathlib import Path; "
        f"assert len(pictures([Path({str(tmp_path)!r})])) == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_paths_and_addresses(tmp_path):
    assert path_or_address("s3://a//b") == "s3://a//b"
    assert path_or_address("file:///tmp/x") == Path("/tmp/x")
    assert path_or_address("a:b/c") == Path("a:b/c")
    assert path_or_address(tmp_path) is not None
    assert redacted("at s3://bucket/a b?c") == "at s3://bucket/a b?c"
    assert redacted("GET https://u:p@h/x?t=1, then s3://b/y") == "GET https://…@h/x?… then s3://b/y"
    assert isinstance(fsspec.filesystem("memory"), MemoryFileSystem)
