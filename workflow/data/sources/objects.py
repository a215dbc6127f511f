"""Pictures in object stores, by addresses such as s3://bucket/pile, through fsspec: the only file that imports it.

Credentials come from where the store's own tools take them: the environment, or their files. An address that holds some
is refused, so that none gets into a log, a record or a message. What a store refuses is tried again, some seconds long.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from workflow.cluster.parts import TICKET
from workflow.data.sources.files import State, is_litter, too_large
from workflow.errors import EnvironmentFault, UsageError
from workflow.paths import PROTOCOLS, is_address, redacted

_ATTEMPTS = 5
_PAUSE = 0.5  # seconds before the second attempt; twice as long before each further one
_TOGETHER, _TOGETHER_BYTES = 16, 2**25  # objects that are fetched at once
_PAGE = 1000  # objects, as S3 lists them
_MARKS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_NEVER = 2**62  # as a time of change: too young to be remembered

T = TypeVar("T")


class Gone(FileNotFoundError):
    """There is no such object."""

    def __init__(self, address: str) -> None:
        super().__init__(errno.ENOENT, "is not in the store", address)


def checked(address: str) -> str:
    """An address that a user has written.

    Raises:
        UsageError: P42, the protocol is unknown, or the address holds credentials.
    """
    protocol, _, rest = address.partition("://")
    if protocol in ("http", "https"):
        raise UsageError(
            f"{redacted(address)} is a web address; wf reads files and object stores",
            hint="download it first, for example with curl -LO",
            fault="P01",
        )
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS[:-2])
        raise UsageError(f"{redacted(address)}: unknown protocol '{protocol}', expected one of {known}", fault="P42")
    store, _, key = rest.partition("/")
    if ":" in store:
        raise _holds(f"{protocol}://…{'@' + rest.rpartition('@')[2] if '@' in rest else ''}", "a user and a password")
    if "?" in rest and "=" in rest.partition("?")[2]:
        raise _holds(redacted(address), "a query")
    if not store and protocol not in ("memory", "local"):
        raise UsageError(f"{address} names no bucket", hint=f"{protocol}://BUCKET/{key}", fault="P42")
    return address.rstrip("/")


def _holds(shown: str, what: str) -> UsageError:
    return UsageError(
        f"{shown} holds {what}, which would be written into records",
        hint="leave it out; credentials come from the environment or the files of the store's own tools",
        fault="P42",
    )


def listed(address: str, *, empty: bool = False) -> Iterator[tuple[str, str]]:
    """The names of all objects below an address, relative to it, and the ticket of each, sorted within each folder.

    Hidden ones are left out. If the address is that of an object, its name is empty.

    Raises:
        UsageError: P01, there is nothing, which is no error if there may be nothing (`empty`).
        EnvironmentFault: P42, the store refuses, or the package for it is not installed.
    """
    system, root = _located(address)
    if (entry := _info(address)) is not None and entry["type"] == "file":
        yield "", _ticket(entry)
        return
    pending, any_ = [root], False
    while pending:
        folder = pending.pop()
        below = []
        for entry in _entries(system, folder, address):
            name = entry["name"].rstrip("/").rpartition("/")[2]
            if entry["name"].rstrip("/") == folder.rstrip("/") or is_litter(name):
                continue
            any_ = True
            if entry["type"] == "directory":
                below.append(entry["name"].rstrip("/"))
            else:
                yield entry["name"][len(root) :].lstrip("/"), _ticket(entry)
        pending += sorted(below, reverse=True)
    if not any_ and not empty:
        raise UsageError(f"there is nothing at {address}", hint="check the address", fault="P01")


def read(address: str) -> bytes:
    """All bytes of an object.

    Raises:
        Gone, PermissionError, EnvironmentFault: as of `read_item`.
    """
    system, path = _located(address)
    data: bytes = _tried(address, lambda: system.cat_file(path))
    return data


def write(address: str, data: bytes) -> None:
    """Make an object in one request: it is seen whole or not at all.

    Raises:
        PermissionError, EnvironmentFault: as of `read_item`.
    """
    system, path = _located(address)
    _tried(address, lambda: system.pipe_file(path, data))


def create(address: str, data: bytes) -> bool:
    """Make an object that is not there yet; whether it was not.

    Raises:
        PermissionError, EnvironmentFault: as of `read_item`.
    """
    system, path = _located(address)
    try:
        _tried(address, lambda: system.pipe_file(path, data, mode="create"))
    except FileExistsError:
        return False
    return True


def item_of(address: str) -> bytes:
    """The item of an object.

    Raises:
        Gone: there is none.
        EnvironmentFault: P42.
    """
    entry = _info(address)
    if entry is None or entry["type"] != "file":
        raise Gone(address)
    return os.fsencode(address) + TICKET + _ticket(entry).encode()


def state_of(ticket: bytes) -> State:
    """Size and a number that stands for the object's ETag, or else its time."""
    size, mark = ticket.split()
    return int(size), int(mark)


def size_of(ticket: bytes) -> int:
    """Bytes of the object."""
    return state_of(ticket)[0]


def read_item(item: bytes, most: int | None) -> tuple[bytes, State]:
    """The bytes of an object, and the state that it was listed with.

    Args:
        item: the object's, with its ticket.
        most: bytes; None is no limit.

    Raises:
        PictureError: it is too large for a picture.
        Gone, PermissionError: as the store says it.
        OSError: ESTALE, it has another size than it was listed with.
        EnvironmentFault: P42, the store refuses.
    """
    address, _, ticket = item.partition(TICKET)
    if most is not None and size_of(ticket) > most:
        raise too_large(size_of(ticket))
    path, end = os.fsdecode(address), size_of(ticket) + 1
    system, inside = _located(path)
    # a range: s3fs asks for the size first where all of an object is wanted; one more byte shows that it has grown
    data = _tried(path, lambda: system.cat_file(inside, start=0, end=end)) if end > 1 else b""
    return _as_listed(data, ticket)


class Ahead:
    """Reads the items of a part by their places, some objects at a time: each alone would wait for the store.

    Args:
        items: objects, and others.
        most: bytes; a picture with more is refused.
        alone: reads one item, with all attempts.
    """

    def __init__(self, items: Sequence[bytes], most: int, alone: Callable[[bytes, int], tuple[bytes, State]]) -> None:
        self._items, self._most, self._alone = items, most, alone
        self._fetched: dict[int, bytes] = {}

    def read(self, place: int) -> tuple[bytes, State]:
        """As `reading.read`."""
        if place not in self._fetched:
            self._fetched = self._fetch(place)
        if (data := self._fetched.pop(place, None)) is None:
            return self._alone(self._items[place], self._most)
        return _as_listed(data, self._items[place].partition(TICKET)[2])

    def _fetch(self, start: int) -> dict[int, bytes]:
        """Objects from a place on, all of one store; not those that it refuses."""
        paths: dict[int, str] = {}
        protocol, total = "", 0
        for place in range(start, min(start + _TOGETHER, len(self._items))):
            path, _, ticket = self._items[place].partition(TICKET)
            address = os.fsdecode(path)
            protocol = protocol or address.partition("://")[0]
            if not ticket or not is_address(address) or not address.startswith(f"{protocol}://"):
                break
            total += size_of(ticket)
            if not 0 < size_of(ticket) <= self._most or (paths and total > _TOGETHER_BYTES):
                break
            paths[place] = _located(address)[1]
        if not paths:
            return {}
        ends = [size_of(self._items[place].partition(TICKET)[2]) + 1 for place in paths]
        try:
            found = _system(protocol).cat_ranges(list(paths.values()), [0] * len(ends), ends, on_error="return")
        except Exception:  # each store's client has its own; each object is asked for alone then
            return {}
        return {place: data for place, data in zip(paths, found, strict=True) if isinstance(data, bytes)}


def _as_listed(data: bytes, ticket: bytes) -> tuple[bytes, State]:
    state = state_of(ticket)
    if len(data) != state[0]:
        raise OSError(errno.ESTALE, "changed while being read")
    return data, state


# ---- fsspec ---------------------------------------------------------------------------------------------------


@cache
def _system(protocol: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise EnvironmentFault(
            f"addresses such as {protocol}:// need the package fsspec, which is not installed",
            hint="pip install 'wf[cluster]'",
            fault="P42",
        ) from None
    try:
        system = fsspec.filesystem(protocol, use_listings_cache=False)
    except ImportError as error:
        raise EnvironmentFault(
            f"{protocol}:// needs a package that is not installed: {error}",
            hint={"s3": "pip install s3fs", "s3a": "pip install s3fs", "gs": "pip install gcsfs"}.get(protocol),
            fault="P42",
        ) from None
    if hasattr(system, "retries"):  # s3fs asks five times itself, for minutes together with our own attempts
        system.retries = 1
    return system


def _located(address: str) -> tuple[Any, str]:
    """The file system of an address, and its path there."""
    system = _system(address.partition("://")[0])
    return system, system._strip_protocol(address)


def _info(address: str) -> dict[str, Any] | None:
    system, path = _located(address)
    try:
        found: dict[str, Any] = _tried(address, lambda: system.info(path))
    except FileNotFoundError:
        return None
    return found


def _entries(system: Any, folder: str, address: str) -> Iterator[dict[str, Any]]:
    """What a folder holds, sorted by name."""
    try:
        if hasattr(system, "call_s3"):
            yield from _pages(system, folder, address)
        else:
            yield from sorted(_tried(address, lambda: system.ls(folder, detail=True)), key=lambda entry: entry["name"])
    except FileNotFoundError:
        return


def _pages(system: Any, folder: str, address: str) -> Iterator[dict[str, Any]]:
    """The same of S3, page by page: fsspec's `ls` would hold a folder's objects all at once, 1 KB each."""
    bucket, _, prefix = folder.partition("/")
    asked = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else "", "Delimiter": "/", "MaxKeys": _PAGE}
    more = True
    while more:
        page = _tried(address, lambda: system.call_s3("list_objects_v2", **asked))
        entries = [{"name": f"{bucket}/{one['Prefix']}", "type": "directory"} for one in page.get("CommonPrefixes", ())]
        for one in page.get("Contents", ()):
            entries.append(one | {"name": f"{bucket}/{one['Key']}", "type": "file", "size": one["Size"]})
        yield from sorted(entries, key=lambda entry: entry["name"])
        more = page.get("IsTruncated", False)
        asked["ContinuationToken"] = page.get("NextContinuationToken")


def _ticket(entry: dict[str, Any]) -> str:
    return f"{entry['size'] or 0} {_mark(entry)}"


def _mark(entry: dict[str, Any]) -> int:
    """What changes with an object's bytes, as a number: below 0 of an ETag, in place of a time of change in ns."""
    for name in _MARKS:
        if entry.get(name):
            digest = hashlib.blake2b(str(entry[name]).encode(), digest_size=8).digest()
            return -1 - int.from_bytes(digest, "big") // 2
    for name in _TIMES:
        when = entry.get(name)
        if isinstance(when, datetime):
            return round(when.timestamp() * 1_000_000) * 1000
        if isinstance(when, int | float) and when:
            return round(when * 1_000_000) * 1000
    return _NEVER


def _tried(address: str, call: Callable[[], T]) -> T:
    """The result of a call, which is made again where the store refuses.

    Raises:
        Gone, PermissionError: tried once.
        EnvironmentFault: P42, it refused each time.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        try:
            return call()
        except FileNotFoundError:
            raise Gone(address) from None
        except FileExistsError:
            raise
        except PermissionError:
            raise PermissionError(errno.EACCES, "permission denied", address) from None
        except Exception as error:  # each store's client has its own
            words = redacted(" ".join(str(error).split()))[:200] or type(error).__name__
            if type(error).__name__ == "NoCredentialsError":
                break
    raise EnvironmentFault(
        f"the store of {address} refuses ({words})",
        hint="check the network and the credentials, and run it again",
        fault="P42",
    ) from None
