"""Compare wf predict --cluster local with wf predict on this machine: the same bytes, and what Ray costs.

    scripts/cluster_check same_answers [--files 20000] [--pictures FOLDER] [--rounds 1]

The bar is 15 s for starting Ray and 1 % of the time without it.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from pathlib import Path

from _pictures import WF, pile, project

WORK = Path("/tmp/wf-cluster-check")  # noqa: S108


def main() -> int:
    """Measure in turn; 0 if the bytes are the same and the cost of the best run of each is within the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    place, pictures = project(WORK / "project"), pile(WORK / f"pile-{asked.files}", asked.files, asked.pictures)
    ways: dict[str, list[str]] = {"this machine": [], "Ray": ["--cluster", "local"]}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    digests = set()
    for _ in range(asked.rounds):
        for name, words in ways.items():
            labels = WORK / "same-answers.csv"
            began = time.monotonic()
            command = [WF, "predict", pictures, "--csv", labels, "-q", *words]
            subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.monotonic() - began)
            digests.add(hashlib.sha256(labels.read_bytes()).hexdigest())
            print(f"{asked.files:,} files, {name}: {seconds[name][-1]:.1f} s", flush=True)
    here, ray = min(seconds["this machine"]), min(seconds["Ray"])
    print(f"Ray costs {ray - here:.1f} s; {len(digests)} kind(s) of answers")
    return 0 if len(digests) == 1 and ray - here <= 15 + here / 100 else 1


if __name__ == "__main__":
    sys.exit(main())
