"""Decode a long list of files on all cores, with bounded memory.

Thousands of files go to processes that import nothing but the decoder. Fewer small ones are decoded sooner than a
process starts. A few large files go to threads: Pillow decodes without the interpreter's lock.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from workflow import cores
from workflow.cluster.choice import afar, crew, results
from workflow.cluster.crew import Workers
from workflow.cluster.parts import Items, cut, fixed, guided
from workflow.config import Cluster, Preprocessing
from workflow.data.decoding import Decoded, Decoding
from workflow.data.sources.reading import size, state
from workflow.silence import silenced

_FEW, _FEW_BYTES = 1000, 4 * 2**20  # decoded in a fifth of a second; a process takes three tenths to start
_FEW_LARGE = 64  # files that threads decode as fast as processes
_MOST, _PARTS = 256, 256  # files in one part, at most, unless there would be more parts than this
_MOST_BYTES = 16 * 2**20  # of pixels in one part, at most
_MOST_READ = 8 * 2**20  # bytes of files in one part, about: large pictures take a tenth of a second each
_LOOKED_AT = 16  # files whose sizes are looked at


def workers_for(files: int, paths: Items, asked: int | None) -> Workers:
    """As many processes as asked for; else one for each core, or fewer where that is faster for a few files."""
    if asked is not None:
        return Workers(asked, processes=asked > 1)
    if files <= _FEW and files * _mean_size(files, paths) <= _FEW_BYTES:
        return Workers(1)
    available = cores.available()
    if files <= _FEW_LARGE:
        return Workers(min(available, files))
    return Workers(available, processes=available > 1)


def decode_all(
    files: int,
    paths: Items,
    *,
    workers: Workers,
    folder: Path,
    preprocessing: Preprocessing,
    max_pixels: int,
    edges: int | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Decoded]:
    """Decode files number 0 .. `files`-1, in no particular order.

    Args:
        files: how many there are.
        paths: gives the paths of a range of them.
        workers: who does it on this machine.
        folder: where the results are made, each a file that the caller may remove.
        preprocessing: as recorded with the data set.
        max_pixels: larger pictures are refused.
        edges: no part holds files of both sides of a multiple of this number.
        cluster: other machines, if there are any; `folder` is then that of `results_of`.

    Raises:
        OSError: a result cannot be written.
        EnvironmentFault: T13, one process after the other was killed; R01 to R03, as `remote.Remote`.
    """
    if cluster is not None and afar(cluster, files):
        ranges = fixed(files, cluster.part)
    else:
        cluster, ranges = Cluster(), guided(files, workers.size, _most(files, paths, preprocessing), edges)
    work = Decoding(preprocessing=preprocessing, max_pixels=max_pixels)
    with silenced():  # Pillow remarks on odd metadata
        for receipt in crew(cluster, workers).map(work, cut(ranges, paths), folder):
            yield Decoded.of(receipt)


def results_of(
    files: int, paths: Items, cluster: Cluster, project: Path, basis: bytes, folder: Path
) -> AbstractContextManager[Path]:
    """Where the results of `decode_all` are made, a context manager.

    Args:
        files: how many there are.
        paths: gives the paths of a range of them.
        cluster: the settings.
        project: the project's folder, which other machines see.
        basis: of the pixels, see `decoders.basis`.
        folder: where they are made if this machine does it alone.
    """
    if not afar(cluster, files):
        return nullcontext(folder)

    def key() -> str:
        facts = hashlib.sha256(b"%b %d" % (basis, cluster.part))
        for start in range(0, files, cluster.part):
            for item in paths(start, min(start + cluster.part, files)):
                facts.update(item + repr(state(item)).encode())
        return facts.hexdigest()

    return results(cluster, project, key)


def _most(files: int, paths: Items, preprocessing: Preprocessing) -> int:
    """Files in one part: as many as are worth the talk, and few enough for all workers to end together."""
    mean = max(1, _mean_size(files, paths))
    return max(1, min(max(_MOST, files // _PARTS), _MOST_BYTES // math.prod(preprocessing.shape), _MOST_READ // mean))


def _mean_size(files: int, paths: Items) -> int:
    """Bytes of a file, about."""
    step = max(1, files // _LOOKED_AT)
    sizes = [size(paths(place, place + 1)[0]) for place in range(0, files, step)]
    return sum(sizes) // max(1, len(sizes))
