#!/usr/bin/env python3
"""Record what real Caffe makes of small nets of every layer type: writes TYPE.npz beside this file.

    tests/golden/layers/record.py [--debian ROOT | --opencv PYTHON] [TYPE...]

Each file holds nets that the generators of tests/conformance draw, prototxt and files inside, as many of the first 24
as fit, and `origin`, which tells who recorded it. `tests/layers/test_golden.py` replays them all.

The everyday build in .caffe/ is the default. Its BatchNorm is not BVLC's and it has no Clip: those two are recorded
in a Debian 11 with the package python3-caffe, as root, by `record.py --debian ROOT`. Such a folder is made by

    debootstrap --variant=minbase --include=caffe,python3-caffe,libopenblas0-pthread bullseye ROOT

Layers that no Caffe at hand has are recorded, forward only, with OpenCV 4 (`pip install 'opencv-python-headless<5'` in
an environment of its own), by `record.py --opencv ENVIRONMENT/bin/python`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.recording import Recording

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
BYTES = 10_000
ALONE_BYTES = 19_000  # where the golden file is all that holds the type, so there are more nets
DRAWN = 24
WHEEL = "real Caffe: the wheel kendryte-caffe 1.0.0.20210829 (BVLC's master with a few more layers), CPU"
DEBIAN = "real Caffe: Debian 11's python3-caffe 1.0.0+git20180821.99bd997 (BVLC's master), CPU"


def recorded(kind: str, folder: Path, *, debian: Path | None, opencv: Path | None) -> tuple[dict[str, Recording], str]:
    """The first nets of a type, and who ran them, in an empty folder (under debian/tmp for Debian's Caffe)."""
    from caffe_process import CAFFE_PYTHON
    from conformance import opencv as witness
    from conformance.case import GENERATORS
    from conformance.golden import SEED
    from conformance.recording import debian_python, record

    (folder / "run").mkdir()
    cases = {f"net{i}": (kind, case) for i, case in enumerate(GENERATORS[kind].cases(DRAWN, SEED))}
    if opencv:
        recordings, version = witness.record(cases, folder / "run", python=opencv)
        return recordings, f"OpenCV {version}, which reads Caffe's nets, CPU"
    python = debian_python(debian, folder) if debian else CAFFE_PYTHON
    return record(cases, folder / "run", python=python), DEBIAN if debian else WHEEL


def main() -> int:
    """Record the types named, or all that the witness can judge."""
    from conformance.case import GENERATORS, load_families
    from conformance.golden import write_what_fits

    load_families()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("types", nargs="*", metavar="TYPE")
    witnesses = parser.add_mutually_exclusive_group()
    witnesses.add_argument("--debian", type=Path, metavar="ROOT", help="a Debian 11 with python3-caffe")
    witnesses.add_argument("--opencv", type=Path, metavar="PYTHON", help="an interpreter with OpenCV 4")
    arguments = parser.parse_args()
    root = arguments.debian.resolve() if arguments.debian else None
    flag = "--debian ROOT " if root else "--opencv PYTHON " if arguments.opencv else ""
    fitting = [
        kind
        for kind, one in GENERATORS.items()
        if (bool(one.debian), bool(one.opencv)) == (bool(root), bool(arguments.opencv))
    ]
    for kind in arguments.types or fitting:
        with tempfile.TemporaryDirectory(dir=root / "tmp" if root else None) as name:
            recordings, by = recorded(kind, Path(name), debian=root, opencv=arguments.opencv)
        origin = {"by": by, "command": f"tests/golden/layers/record.py {flag}{kind}"}
        kept = write_what_fits(HERE / f"{kind}.npz", recordings, origin, ALONE_BYTES if flag else BYTES)
        sys.stdout.write(f"{kind}: {kept} nets, {(HERE / f'{kind}.npz').stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    if Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main())
