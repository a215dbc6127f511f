"""How many processor cores this process really gets."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def available() -> int:
    """Cores that the process may run on: those of its affinity, fewer where a container's quota is smaller."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(mine, quota()))


def threads() -> int:
    """How many threads to compute with: OMP_NUM_THREADS where the user has set it, else all available cores."""
    wished = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]  # a list is for nested teams
    return int(wished) if wished.isdigit() and int(wished) else available()


def sparing() -> dict[str, str]:
    """Environment variables that keep numerical libraries from competing for cores, except those the user has set.

    They must be set before the libraries are loaded. numpy's BLAS gains nothing from threads on nets this
    small, and loses much where other processes run beside it; PyTorch has threads of its own. Threads of OpenMP,
    PyTorch's too, spin while they wait for each other: beside a busy process a training iteration then takes several
    times as long. With `GOMP_SPINCOUNT` they sleep after so many rounds.
    """
    wished = {"OPENBLAS_NUM_THREADS": "1"}
    if "OMP_WAIT_POLICY" not in os.environ:
        wished["GOMP_SPINCOUNT"] = "1000"
    return {name: value for name, value in wished.items() if name not in os.environ}


def quota(cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """The quota of the process's cgroup and of those around it in whole cores, rounded up; a huge number without one.

    Source: the kernel's admin-guide, cgroup-v2 (cpu.max) and cgroup-v1 (cpu.cfs_quota_us, cpu.cfs_period_us).
    """
    shares = [share for folder in _folders(cgroups, own) if (share := _share(folder)) is not None]
    return math.ceil(min(shares)) if shares else 1_000_000


def _folders(cgroups: Path, own: Path) -> list[Path]:
    """The process's control groups, the innermost first, up to the root that is mounted."""
    found: list[Path] = []
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        root = cgroups if not controllers else cgroups / "cpu" if "cpu" in controllers.split(",") else None
        if root is not None:
            inner = root / path.lstrip("/")
            found += [folder for folder in (inner, *inner.parents) if folder.is_relative_to(root)]
    return [*found, cgroups, cgroups / "cpu"]


def _share(folder: Path) -> float | None:
    """Cores that one control group allows, None for no limit."""
    try:
        if (folder / "cpu.max").is_file():
            limit, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            limit = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
        share = int(limit) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such files, or the word `max`
        return None
    return share if share > 0 else None
