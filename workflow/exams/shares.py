"""One pass over many picture files in shares, on as many machines as see the files and a common folder.

    out/share.json          which pictures, which snapshot
    out/parts/part-000123   the answers of 500 files, whole from the moment that the name is there

Share K of N does every N-th part. A share that is done again does what is missing; parts may be done by anybody.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from workflow import cores, engines
from workflow.cluster.choice import crew
from workflow.cluster.crew import Workers
from workflow.cluster.parts import cut, fixed
from workflow.cluster.receipt import Receipt
from workflow.errors import DataError, UsageError
from workflow.exams.common_folder import CommonFolder, agree, common_folder
from workflow.exams.files import Files
from workflow.exams.fingerprint import fingerprint
from workflow.exams.novelty import Novelty
from workflow.exams.passes import Pass, shown
from workflow.exams.picture import PART
from workflow.exams.showing import Showing
from workflow.models.model import Model
from workflow.paths import PathOrAddress

_FORMAT = "wf.shares/2"


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
    out: PathOrAddress,
    share: Share,
    rule: Novelty | None = None,
    engine: str | None = None,
    ignore: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Do the parts of a share that are not there yet; how many files the share has.

    Args:
        model: the snapshot.
        exam: all pictures, also those of other shares.
        blobs: what the answers hold.
        out: the common folder, or an address in an object store.
        share: which one.
        rule: measures the distances, as of `passes`.
        engine: the engine's name; None takes the fastest for all pictures.
        ignore: layers whose weights are not copied.
        progress: called with (done, all) after each part.

    Raises:
        UsageError: the folder belongs to other pictures, or to another snapshot.
        OSError, EnvironmentFault, WorkflowError: as `Crew.map`.
    """
    far = model.cluster.address is not None  # then its machines see `out`, and no temporary folder of this one
    if far and isinstance(out, str):
        raise UsageError(
            f"--out {out} and a cluster cannot be used together", hint="name a folder that all machines see"
        )
    name = "torch" if ignore and engine is None else engines.chosen(model.net, engine, images=exam.count)
    common = _agreed(model, exam, blobs, rule, out, name)
    ranges = dict(list(enumerate(fixed(exam.count, PART)))[share.number - 1 :: share.of])
    there = common.numbers() & ranges.keys()
    files, done = (sum(ranges[one][1] - ranges[one][0] for one in some) for some in (ranges, there))
    size = min(cores.available(), max(1, len(ranges)))
    with (
        tempfile.TemporaryDirectory(prefix="wf-share-", dir=out if far else None) as folder,
        common.working() as results,
    ):
        work = Showing.of(model, blobs, rule, name, ignore, Path(folder))
        wanted = ranges.keys() - there
        parts = (one for one in cut(fixed(exam.count, PART), exam.items) if one.number in wanted)
        for receipt in crew(model.cluster, Workers(size, processes=size > 1)).map(work, parts, results):
            common.keep(receipt)
            done += receipt.stop - receipt.start
            if progress is not None:
                progress(done, files)
    return files


def gathered(
    model: Model,
    exam: Files,
    blobs: Collection[str],
    *,
    out: PathOrAddress,
    rule: Novelty | None = None,
    engine: str | None = None,
    ignore: Sequence[str] = (),
) -> Generator[Pass]:
    """What all shares have found, in the order of the pictures, as `passes` gives it.

    Raises:
        UsageError: the folder belongs to other pictures, or to another snapshot.
        DataError: parts are missing.
    """
    name = "torch" if ignore and engine is None else engines.chosen(model.net, engine, images=exam.count)
    common = _agreed(model, exam, blobs, rule, out, name)
    ranges = list(fixed(exam.count, PART))
    missing = sorted(set(range(len(ranges))) - common.numbers())
    if missing:
        raise DataError(
            f"{len(missing):,} of {len(ranges):,} parts are not in {common.name} yet, the first is {missing[0]}",
            hint="wf predict with --share does them, also those of a share that was interrupted",
        )
    exam.skipped.clear()
    for number, (start, stop) in enumerate(ranges):
        with common.result(number) as path:
            yield from shown(exam, Receipt(number=number, start=start, stop=stop, path=path))
    exam.end()


def _agreed(
    model: Model, exam: Files, blobs: Collection[str], rule: Novelty | None, out: PathOrAddress, engine: str
) -> CommonFolder:
    """The common folder, which is for these pictures and this snapshot."""
    facts = {
        "format": _FORMAT,
        "key": fingerprint(model, exam),
        "files": exam.count,
        "blobs": sorted(blobs),
        "rule": rule and rule.identity,
        "engine": engine,
    }
    common = common_folder(out)
    agree(common, facts, out)
    return common
