"""How much faster two hosts of one core are than one, for predict and prepare; the results must be the same bytes.

    scripts/cluster_check two_hosts [--files 100000] [--pictures FOLDER] [--command predict] [--rounds 1] [--bar 1.8]

FOLDER has the pictures of which the pile is made: photographs, say. Without it they are drawn ones of 48 x 48 pixels,
which take so little time that what is done on one host only weighs much. Hosts are network namespaces, so root is
needed. Both start from a Ray that runs, and from pictures in the page cache.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from _hosts import Host, hosts, ray
from _pictures import WF, pile, project

WORK = Path("/tmp/wf-cluster-check")  # noqa: S108  # both hosts see it under this name


def main() -> int:
    """Measure in turn; 0 if the ratio of the best of each reaches the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--command", choices=["predict", "prepare"], default="predict")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--bar", type=float, default=1.8)
    asked = parser.parse_args()
    name = f"{asked.command}-{asked.files}-{asked.pictures.name if asked.pictures else 'drawn'}"
    pictures = pile(WORK / name, asked.files, asked.pictures, distinct=asked.command == "prepare")
    place = project(WORK / "project") if asked.command == "predict" else WORK / "unprepared"
    seconds: dict[int, list[float]] = {1: [], 2: []}
    digests = set()
    with hosts(2) as made:
        for _ in range(asked.rounds):
            for count in seconds:
                with ray(made[:count]) as address:
                    took, digest = measured(made[0], asked.command, place, pictures, address)
                seconds[count].append(took)
                digests.add(digest)
                print(
                    f"{asked.command} of {asked.files:,} files, {count} host(s) of one core: {took:.1f} s", flush=True
                )
    ratio = min(seconds[1]) / min(seconds[2])
    print(f"two hosts are {ratio:.2f} times as fast as one; {len(digests)} kind(s) of results")
    return 0 if ratio >= asked.bar and len(digests) == 1 else 1


def measured(host: Host, command: str, place: Path, pictures: Path, address: str) -> tuple[float, str]:
    """Seconds of the whole command, and a digest of its results."""
    if command == "predict":
        words, result = ("predict", pictures, "--csv", WORK / "two-hosts.csv", "-q"), WORK / "two-hosts.csv"
    else:
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([WF, "init", place, "-q"], check=True, stdout=subprocess.DEVNULL)
        words, result = ("prepare", pictures, "-q"), place / "generations/gen1/dataset/train_lmdb/data.mdb"
    began = time.monotonic()
    done = host.run(WF, *words, "--cluster", address, "-C", place, capture_output=True)
    took = time.monotonic() - began
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    with result.open("rb") as file:
        return took, hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
