"""One pass over many picture files in shares, on as many machines as see the files and a common folder.

    out/share.json          which pictures, which snapshot
    out/parts/part-000123   the answers of 500 files, whole from the moment that the name is there

Share K of N does every N-th part. A share that is done again does what is missing; parts may be done by anybody.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from workflow import cores, engines
from workflow.cluster.choice import crew
from workflow.cluster.crew import Workers
from workflow.cluster.parts import cut, fixed
from workflow.cluster.receipt import Receipt, result_path
from workflow.errors import DataError, UsageError
from workflow.exams.files import Files
from workflow.exams.fingerprint import fingerprint
from workflow.exams.passes import Pass, shown
from workflow.exams.picture import PART
from workflow.exams.showing import Showing
from workflow.models.model import Model
from workflow.models.packing import packed
from workflow.storage import create

_FORMAT = "wf.shares/1"


class Share(NamedTuple):
    """Share `number` of `of`, from 1."""

    number: int
    of: int

    @classmethod
    def parsed(cls, text: str) -> Share:
        """`3/64`.

        Raises:
            UsageError: it is written otherwise, or there is no such share.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--share {text}: expected K/N with K from 1 to N", hint="--share 3/64")
        return cls(int(match[1]), int(match[2]))


def do_share(
    model: Model,
    exam: Files,
    blobs: Collection[str],
    *,
    out: Path,
    share: Share,
    engine: str | None = None,
    ignore: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Do the parts of a share that are not there yet; how many files the share has.

    Args:
        model: the snapshot.
        exam: all pictures, also those of other shares.
        blobs: what the answers hold.
        out: the common folder.
        share: which one.
        engine: the engine's name; None takes the fastest for all pictures.
        ignore: layers whose weights are not copied.
        progress: called with (done, all) after each part.

    Raises:
        UsageError: the folder belongs to other pictures, or to another snapshot.
        OSError, EnvironmentFault, WorkflowError: as `Crew.map`.
    """
    name = "torch" if ignore and engine is None else engines.chosen(model.net, engine, images=exam.count)
    _agree(model, exam, blobs, out, name)
    ranges = list(fixed(exam.count, PART))[share.number - 1 :: share.of]
    files, done = sum(stop - start for start, stop in ranges), 0
    size = min(cores.available(), max(1, len(ranges)))
    far = model.cluster.address is not None  # then its machines see `out`, and no temporary folder of this one
    with tempfile.TemporaryDirectory(prefix="wf-share-", dir=out if far else None) as folder:
        work = Showing(model=packed(model, Path(folder)), blobs=tuple(sorted(blobs)), engine=name, ignore=tuple(ignore))
        numbers = (one for one in cut(fixed(exam.count, PART), exam.items) if one.number % share.of == share.number - 1)
        for receipt in crew(model.cluster, Workers(size, processes=size > 1)).map(work, numbers, out / "parts"):
            done += receipt.stop - receipt.start
            if progress is not None:
                progress(done, files)
    return files


def gathered(
    model: Model,
    exam: Files,
    blobs: Collection[str],
    *,
    out: Path,
    engine: str | None = None,
    ignore: Sequence[str] = (),
) -> Generator[Pass]:
    """What all shares have found, in the order of the pictures, as `passes` gives it.

    Raises:
        UsageError: the folder belongs to other pictures, or to another snapshot.
        DataError: parts are missing.
    """
    name = "torch" if ignore and engine is None else engines.chosen(model.net, engine, images=exam.count)
    _agree(model, exam, blobs, out, name)
    ranges = list(fixed(exam.count, PART))
    missing = [number for number in range(len(ranges)) if not result_path(out / "parts", number).exists()]
    if missing:
        raise DataError(
            f"{len(missing):,} of {len(ranges):,} parts are not in {out / 'parts'} yet, the first is {missing[0]}",
            hint="wf predict with --share does them, also those of a share that was interrupted",
        )
    exam.skipped.clear()
    for number, (start, stop) in enumerate(ranges):
        receipt = Receipt(number=number, start=start, stop=stop, path=result_path(out / "parts", number))
        yield from shown(exam, receipt)
    exam.end()


def _agree(model: Model, exam: Files, blobs: Collection[str], out: Path, engine: str) -> None:
    """Say in the folder which pictures and which snapshot it is for, or find that it says the same."""
    (out / "parts").mkdir(parents=True, exist_ok=True)
    facts = {
        "format": _FORMAT,
        "key": fingerprint(model, exam),
        "files": exam.count,
        "blobs": sorted(blobs),
        "engine": engine,
    }
    path = out / "share.json"
    try:
        create(path, (json.dumps(facts, indent=2) + "\n").encode())
    except FileExistsError:
        if json.loads(path.read_bytes()) != facts:
            raise UsageError(
                f"{out} holds answers about other pictures, of another snapshot or with other options",
                hint="name another folder with --out; a picture that was changed meanwhile counts as another",
            ) from None
