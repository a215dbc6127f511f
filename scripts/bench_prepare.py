"""`scripts/bench prepare`: a second preparation beside the first, and `wf prepare` beside Debian 11's tools.

No package of today has them. `debootstrap --variant=minbase --include=caffe,libopenblas0-pthread bullseye DIR`
makes a folder with them, which `--debian DIR` names; they run from there, by its own loader.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_ROUNDS = 3
_MORE = 100  # one of so many pictures is new in the set that has grown

Row = Callable[..., None]


def bench_again(wf: Path, cifar: Path, row: Row) -> None:
    """Processor seconds of a first preparation, of one of the same files, and of one with 1 % more."""
    seconds: dict[str, list[float]] = {"first": [], "unchanged": [], "grown": []}
    with tempfile.TemporaryDirectory(dir=cifar.parent) as name:  # hard links: one file system
        for turn in range(_ROUNDS):
            project = Path(name) / f"{turn}"
            pictures = project / "pictures"
            files = sorted(cifar.glob("*/*/*.jpg"))
            _link(cifar, (file for place, file in enumerate(files) if place % _MORE), pictures)
            command = [str(wf), "prepare", str(pictures), "--force"]
            seconds["first"].append(_cpu(command, project))
            seconds["unchanged"].append(_cpu(command, project))
            _link(cifar, files[::_MORE], pictures)
            seconds["grown"].append(_cpu(command, project))
            shutil.rmtree(project)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    row("prepare again, unchanged", medians["unchanged"], medians["first"], unit="s")
    row("prepare again, 1 % more", medians["grown"], medians["first"], unit="s")


def bench_debian(wf: Path, debian: Path, cifar: Path, row: Row) -> None:
    """Seconds of `wf prepare` and of convert_imageset for train and test, then compute_image_mean, in turn."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            seconds["ours"].append(_wall([[str(wf), "prepare", str(cifar)]], Path(name)))
        with tempfile.TemporaryDirectory() as name:
            seconds["theirs"].append(_wall(_tools(debian, cifar, Path(name)), Path(name)))
    row("prepare beside Debian's tools", *map(statistics.median, seconds.values()), unit="s")


def _tools(debian: Path, cifar: Path, folder: Path) -> Iterable[list[str]]:
    """The commands that make two databases and a mean; the lists of files are there already."""
    classes = sorted(path.name for path in (cifar / "train").iterdir())
    usr = debian / "usr/lib"
    beside = [usr / "x86_64-linux-gnu" / one for one in ("", "openblas-pthread", "blas", "lapack", "pulseaudio")]
    libraries = [debian / "lib/x86_64-linux-gnu", usr, *beside]
    loader = [
        str(next((debian / "lib/x86_64-linux-gnu").glob("ld-2.*.so"))),
        "--library-path",
        ":".join(map(str, libraries)),
    ]
    for side in ("train", "test"):
        files = [path.relative_to(cifar / side) for path in sorted((cifar / side).glob("*/*.jpg"))]
        random.Random(1).shuffle(files)  # noqa: S311 - an order, no secret
        listed = folder / f"{side}.txt"
        listed.write_text("".join(f"{path} {classes.index(path.parts[0])}\n" for path in files))
        tool = [*loader, str(debian / "usr/bin/convert_imageset")]
        yield [*tool, f"{cifar / side}/", str(listed), str(folder / f"{side}_lmdb")]
    tool = [*loader, str(debian / "usr/bin/compute_image_mean")]
    yield [*tool, str(folder / "train_lmdb"), str(folder / "mean.binaryproto")]


def _link(cifar: Path, files: Iterable[Path], pictures: Path) -> None:
    """Give pictures of train/ and test/ names in one folder for each class."""
    for file in files:
        side, name = file.relative_to(cifar).parts[:2]
        target = pictures / name / f"{side}-{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, target)


def _cpu(command: list[str], folder: Path) -> float:
    """Processor seconds of a command and of the processes that it starts, in user mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def _wall(commands: Iterable[list[str]], folder: Path) -> float:
    """Seconds of commands one after the other."""
    whole = 0.0
    for command in commands:
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        whole += time.perf_counter() - start
    return whole
