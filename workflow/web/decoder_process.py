"""Decode pictures from strangers in a process of their own, which may die without harm.

Run as a program it reads tasks from stdin and answers on stdout until stdin ends, so that it dies with the server.
What a file may cost is limited: pixels by what its format needs to be decoded, memory by the system.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import sys
import warnings
from typing import IO, Any

import msgspec
import numpy as np
from PIL import Image

from workflow.cluster.messages import receive, send
from workflow.config import Preprocessing
from workflow.data.pictures import OUT_OF_MEMORY, Header, header, interpret, load_rgb
from workflow.data.sniff import PictureError
from workflow.data.strips import LARGE
from workflow.inbox import thumbnails

MOST_PIXELS = {True: 50_000_000, False: 12_000_000}
"""The most pixels of a baseline JPEG, which is decoded row by row at reduced size, and of any other picture."""
MEMORY = 384 * 2**20
"""Bytes that a task may take beside what the process has anyway."""
PIXELS, THUMBNAIL = b"pixels", b"thumbnail"
DONE, POSTPONED, REFUSED = "done", "postponed", "refused"


def answer(task: bytes, argument: bytes, large: bool, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Decode one picture.

    Args:
        task: `PIXELS` or `THUMBNAIL`.
        argument: the preprocessing as JSON, or the side of the thumbnail in pixels.
        large: whether a large picture may be decoded now.
        data: the file.

    Returns:
        Facts, the first of which is `state`, and pixels (uint8, C-contiguous) or a PNG or JPEG file.
    """
    try:
        head = header(data)
        _check_size(head, task)
        if head.width * head.height > LARGE and not large:
            return {"state": POSTPONED}, b""
        facts = {"state": DONE, "format": head.format, "width": head.width, "height": head.height}
        if task == THUMBNAIL:
            return facts, _thumbnail(data, int(argument))
        preprocessing = _preprocessing(argument)
        picture = interpret(data, preprocessing, max_pixels=head.width * head.height)
        return facts | {"shape": picture.pixels.shape}, np.ascontiguousarray(picture.pixels).tobytes()
    except PictureError as error:
        return {
            "state": REFUSED,
            "reason": error.reason,
            "kind": error.kind,
            "bad": error.bad,
            "fault": error.fault,
        }, b""
    except MemoryError:
        reason = "needs more memory to be decoded than a picture may take"
        return {"state": REFUSED, "reason": reason, "kind": OUT_OF_MEMORY, "bad": False, "fault": "P12"}, b""


def _check_size(head: Header, task: bytes) -> None:
    # pictures with thumbnails were judged, or are the owner's own
    most = MOST_PIXELS[head.baseline or task == THUMBNAIL]
    if not 0 < head.width * head.height <= most:
        kind = (
            "baseline JPEG"
            if head.baseline
            else f"{head.format} of this kind"
            if head.format == "JPEG"
            else head.format
        )
        size = f"{head.width}×{head.height} = {head.width * head.height / 1e6:.4g} Mpx"
        reason = f"is {size}, more than the limit of {most // 10**6} Mpx for a {kind}"
        raise PictureError(reason, kind="too large", fault="P12")


@functools.lru_cache(maxsize=8)
def _preprocessing(settings: bytes) -> Preprocessing:
    return msgspec.json.decode(settings, type=Preprocessing)


def _thumbnail(data: bytes, side: int) -> bytes:
    return thumbnails.encode(load_rgb(data, max_pixels=MOST_PIXELS[True], max_side=side), side)


def confine(memory: int) -> None:
    """Limit this process to `memory` bytes beside what it has; it may not write files or leave a core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    used = _address_space()
    if used is not None:
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


def _address_space() -> int | None:
    """Bytes of this process's address space; None where the system does not say (macOS does not limit it either)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # before anything else is imported
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None


def serve(tasks: IO[bytes], answers: IO[bytes]) -> None:
    """Answer tasks of four parts until there are no more."""
    while (message := receive(tasks)) is not None:
        task, argument, large, data = message
        facts, result = answer(task, argument, large == b"1", data)
        send(answers, json.dumps(facts).encode(), result)


def main() -> None:
    """Serve tasks from stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides
    warnings.simplefilter("ignore")
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what some library prints must not get between two answers
    Image.preinit()
    confine(MEMORY)
    send(answers, b"{}")  # ready
    try:
        serve(tasks, answers)
    except BrokenPipeError:
        return
