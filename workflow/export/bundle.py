"""Export a snapshot as an archive of Caffe files.

    deploy.prototxt  snapshot.caffemodel  mean.binaryproto  labels.txt  info.json  snapshot.unknown.npz

The last is the rule for unknown pictures, where the snapshot has one; `wf predict --snapshot snapshot.caffemodel` finds
it there.
The same snapshot gives the same bytes: entries carry no times and no owners.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np

from workflow.exams import novelty
from workflow.export.facts import facts
from workflow.formats.binaryproto import write_mean
from workflow.formats.caffemodel import write
from workflow.formats.prototxt import render
from workflow.models.model import Model
from workflow.storage import atomic_write

_MEAN = "mean.binaryproto"


def export_bundle(model: Model, out: Path, scratch: Path) -> list[str]:
    """Write the archive, as a whole or not at all.

    Args:
        model: the snapshot.
        out: the .tar.gz file; folders are made.
        scratch: an empty folder that the parts are made in.

    Returns:
        The names of its entries.

    Raises:
        OSError: as the operating system says it.
    """
    (scratch / "deploy.prototxt").write_text(render(model.net), encoding="utf-8")
    write(scratch / "snapshot.caffemodel", model.weights)
    known = facts(model, mean_file=_MEAN)
    if model.transform.mean is not None:
        mean = np.broadcast_to(model.transform.mean, model.preprocessing.shape)
        write_mean(scratch / _MEAN, np.array(mean, np.float32))
    rule = novelty.read(model)
    if rule is not None:
        novelty.write(novelty.path_of(scratch / "snapshot.caffemodel"), model, rule)
    if model.classes is not None:
        (scratch / "labels.txt").write_text("\n".join(model.classes) + "\n", encoding="utf-8")
    height, width = model.preprocessing.shape[1:]
    known |= {
        "deploy file": "deploy.prototxt",
        "weights file": "snapshot.caffemodel",
        "mean file": None if model.transform.mean is None else _MEAN,
        "unknown file": None if rule is None else novelty.path_of(Path("snapshot.caffemodel")).name,
        "labels file": None if model.classes is None else "labels.txt",
        "framework": "caffe",
        "snapshot iteration": model.iteration,
        "image dimensions": [height, width, model.preprocessing.shape[0]],
        "image resize mode": model.preprocessing.fit,
    }
    (scratch / "info.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    names = sorted(path.name for path in scratch.iterdir())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            data = (scratch / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(out, gzip.compress(archive.getvalue(), mtime=0))
    return names
