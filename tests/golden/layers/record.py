#!/usr/bin/env python3
"""Record what real Caffe makes of small nets of every layer type: writes TYPE.npz beside this file.

    tests/golden/layers/record.py [--debian ROOT] [TYPE...]

Each file holds nets that the generators of tests/conformance draw, prototxt and files inside, as many of the first 24
as fit, and `origin`, which tells who recorded it. `tests/layers/test_golden.py` replays them all.

The everyday build in .caffe/ is the default. Its BatchNorm is not BVLC's and it has no Clip: those two are recorded
in a Debian 11 with the package python3-caffe, as root, by `record.py --debian ROOT`. Such a folder is made by

    debootstrap --variant=minbase --include=caffe,python3-caffe,libopenblas0-pthread bullseye ROOT
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
BYTES = 10_000
DEBIAN_BYTES = 19_000  # these are all that holds the type, so there are more nets
DRAWN = 24
WHEEL = "real Caffe: the wheel kendryte-caffe 1.0.0.20210829 (BVLC's master with a few more layers), CPU"
DEBIAN = "real Caffe: Debian 11's python3-caffe 1.0.0+git20180821.99bd997 (BVLC's master), CPU"


def main() -> int:
    """Record the types named, or all that the build can judge."""
    from caffe_process import CAFFE_PYTHON
    from conformance.case import GENERATORS, load_families
    from conformance.golden import SEED, write_what_fits
    from conformance.recording import debian_python, record

    load_families()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("types", nargs="*", metavar="TYPE")
    parser.add_argument("--debian", type=Path, metavar="ROOT", help="a Debian 11 with python3-caffe")
    arguments = parser.parse_args()
    root = arguments.debian.resolve() if arguments.debian else None
    for kind in arguments.types or [kind for kind, one in GENERATORS.items() if bool(one.debian) == bool(root)]:
        with tempfile.TemporaryDirectory(dir=root / "tmp" if root else None) as name:
            python = debian_python(root, Path(name)) if root else CAFFE_PYTHON
            (Path(name) / "run").mkdir()
            cases = {f"net{i}": (kind, case) for i, case in enumerate(GENERATORS[kind].cases(DRAWN, SEED))}
            recordings = record(cases, Path(name) / "run", python=python)
        command = f"tests/golden/layers/record.py {'--debian ROOT ' if root else ''}{kind}"
        origin = {"by": DEBIAN if root else WHEEL, "command": command}
        kept = write_what_fits(HERE / f"{kind}.npz", recordings, origin, DEBIAN_BYTES if root else BYTES)
        sys.stdout.write(f"{kind}: {kept} nets, {(HERE / f'{kind}.npz').stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    if Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main())
