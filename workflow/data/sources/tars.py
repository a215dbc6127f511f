"""Pictures in tars: plain tar files of pictures, with labels beside them as WebDataset has it, or without.

    shard-000.tar/dog/1.jpg      a member is named behind its tar
    shard-000.tar/0001.cls       holds the label of shard-000.tar/0001.jpg, as does 0001.json; see `tar_labels`

Members are read where they are: nothing is unpacked, so no name or link in a tar can reach a file beside it. A tar that
is cut or damaged is refused as a whole, since nobody knows which pictures it lacks.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from workflow.cluster.parts import TICKET
from workflow.data.sniff import ENDINGS
from workflow.data.sources.files import State, is_litter, too_large
from workflow.errors import DataError

if TYPE_CHECKING:
    from tarfile import TarInfo

_ENDING = ".tar"
_COPY = "copy it again from where it came from"
_PACKED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ\x00": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}


class Member(NamedTuple):
    """A regular member: where its bytes are in the tar."""

    offset: int
    size: int


class Refused(NamedTuple):
    """A member that is never read, and why: `reason` follows its name in a sentence."""

    name: str
    reason: str
    kind: str


class Tar(NamedTuple):
    """What a tar holds, in its order."""

    path: str
    state: State
    """Of the tar's file: another state, other members."""
    members: dict[str, Member]
    """By name, without hidden ones and litter."""
    refused: list[Refused]

    def pictures(self) -> Iterator[str]:
        """Names of members that may be pictures: all but those that say more about a picture of the same name."""
        named = {key(name) for name in self.members if name.lower().endswith(ENDINGS)}
        return (name for name in self.members if name.lower().endswith(ENDINGS) or key(name) not in named)

    @contextmanager
    def open(self) -> Iterator[Callable[[Member], bytes]]:
        """What reads one member after the other.

        Raises:
            DataError: P31, it has changed since it was looked through.
            OSError: it cannot be read.
        """
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123  # paths are text here
            yield lambda member: _at(file, *member)
            if _state(self.path) != self.state:
                hint = "run it again when no program writes there"
                raise DataError(f"{self.path} changed while being read", hint=hint, fault="P31")

    def item(self, name: str) -> bytes:
        """The item of a member, see `reading`."""
        return os.fsencode(f"{self.path}/{name}") + TICKET + self.ticket(name).encode()

    def ticket(self, name: str) -> str:
        """With it a worker finds the member without looking through the tar."""
        offset, size = self.members[name]
        return f"{len(os.fsencode(self.path))} {offset} {size} {self.state[0]} {self.state[1]}"


def is_tar(path: str) -> bool:
    """Whether a file is taken for a tar, by its name."""
    return path.lower().endswith(_ENDING)


def key(name: str) -> str:
    """What all members that speak of one picture have in common: the name up to the first dot, with its folders."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def looked_through(path: str) -> Tar:
    """Look through a tar.

    Raises:
        DataError: P40, it is no plain tar, or is cut or damaged.
        OSError: it cannot be read.
    """
    return _looked_through(path, _state(path))


def opened(path: str) -> Tar:
    """The same, for one look after the other: what was found in the last tars is kept in memory."""
    return _opened(path, _state(path))


def _state(path: str) -> State:
    status = os.stat(path)  # noqa: PTH116  # paths are text here
    return status.st_size, status.st_mtime_ns


def item_of(path: str) -> bytes:
    """The item of a member that is named by its path.

    Raises:
        NotADirectoryError: no part of the path is a tar.
        FileNotFoundError: the tar has no such member.
        DataError: P40.
    """
    end = 0
    while (end := path.find(f"{_ENDING}/", end) + len(_ENDING)) >= len(_ENDING):
        if os.path.isfile(path[:end]):  # noqa: PTH113
            tar, name = opened(path[:end]), path[end + 1 :]
            if name not in tar.members:
                raise FileNotFoundError(errno.ENOENT, "there is no such member in the tar", path)
            return tar.item(name)
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def state_of(ticket: bytes) -> State:
    """The state of the tar when its members were listed."""
    size, changed = ticket.split()[3:]
    return int(size), int(changed)


def size_of(ticket: bytes) -> int:
    """Bytes of the member."""
    return int(ticket.split()[2])


def length_of(ticket: bytes) -> int:
    """Bytes of the tar's path, with which the member's begins."""
    return int(ticket.split()[0])


def read_item(item: bytes, most: int | None) -> tuple[bytes, State]:
    """The bytes of a member, and the state of its tar.

    Args:
        item: the member's, with its ticket.
        most: bytes; None is no limit.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where the tar has changed since it was looked through.
    """
    path, _, ticket = item.partition(TICKET)
    length, offset, size, *state = map(int, ticket.split())
    if most is not None and size > most:
        raise too_large(size)
    with open(path[:length], "rb", buffering=0) as file:  # noqa: PTH123  # a path as the file system has it
        data = _at(file, offset, size)
        status = os.fstat(file.fileno())
    if [status.st_size, status.st_mtime_ns] != state or len(data) != size:
        raise OSError(errno.ESTALE, "is in a tar that changed while it was being read")
    return data, (status.st_size, status.st_mtime_ns)


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    data = os.pread(file.fileno(), size, offset)
    while len(data) < size and (more := os.pread(file.fileno(), size - len(data), offset + len(data))):
        data += more
    return data


# ---- looking through ------------------------------------------------------------------------------------------


def _looked_through(path: str, state: State) -> Tar:
    members: dict[str, Member] = {}
    refused: list[Refused] = []
    for found in _headers(path, state[0]):
        name = "/".join(part for part in found.name.split("/") if part not in ("", "."))
        if found.isdir() or any(is_litter(part) and part != ".." for part in name.split("/")):
            continue
        if reason := _refusal(found, name, members):
            refused.append(Refused(name.replace("\0", "\\0") or "(no name)", *reason))
        else:
            members[name] = Member(found.offset_data, found.size)
    return Tar(path, state, members, refused)


_opened = lru_cache(maxsize=64)(_looked_through)


def _refusal(found: TarInfo, name: str, members: dict[str, Member]) -> tuple[str, str] | None:
    """Why a member is never read."""
    if found.name.startswith("/") or ".." in name.split("/"):
        return "has a name that leads out of the tar", "unsafe name"
    if not name or "\0" in name:
        return "has a name that no file can have", "unsafe name"
    if found.islnk() or found.issym():
        return "is a link, not a regular file", "link"
    if found.issparse():
        return "is stored with holes (sparse), which is not read", "sparse"
    if not found.isreg():
        return "is not a regular file", "not a regular file"
    if name in members:
        return "has the name of an earlier member", "same name"
    return None


def _headers(path: str, size: int) -> Iterator[TarInfo]:
    """The members of a tar one after the other, up to the zeros at its end.

    Raises:
        DataError: P40.
    """
    import tarfile  # which files alone do not need

    with open(path, "rb") as file:  # noqa: PTH123  # paths are text here
        start = file.read(8)
        try:
            with tarfile.open(fileobj=_rewound(file), mode="r:", encoding="utf-8") as tar:
                last = -1
                while (found := tar.next()) is not None:
                    tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                    if found.size < 0 or tar.offset <= last:  # it would go round for ever
                        raise _damaged(path, last)
                    if found.isreg() and not found.issparse() and found.offset_data + found.size > size:
                        lacking = found.offset_data + found.size - size
                        raise _refused(path, f"is cut: it ends within {found.name}, {lacking:,} bytes are missing")
                    last = tar.offset
                    yield found
                end = tar.offset
        except (tarfile.TarError, ValueError, RecursionError, MemoryError) as error:
            for magic, program in _PACKED.items():
                if start.startswith(magic):
                    raise _refused(path, "is compressed; plain tar is read", hint=f"{program} it first") from None
            cut = "unexpected end" in str(error)
            raise _refused(path, f"is {'cut' if cut else 'not a tar, or damaged'} ({error})") from error
        file.seek(end)
        block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise _refused(path, "is cut: it has no end mark")
    if block.strip(b"\0"):
        raise _damaged(path, end)


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


def _damaged(path: str, place: int) -> DataError:
    return _refused(path, f"is damaged at byte {max(place, 0):,}")


def _refused(path: str, what: str, hint: str = _COPY) -> DataError:
    return DataError(f"{path} {what}", hint=hint, fault="P40")
