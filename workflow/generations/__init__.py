"""The folder of a generation: its files, record, snapshots and lock.

    generations/gen5/
      generation.json                  this module's Record
      dataset/    train_lmdb/ val_lmdb/ test_lmdb/ mean.binaryproto labels.txt images.jsonl pictures.png files.npz
      prototxt/   train_test.prototxt deploy.prototxt solver.prototxt      as run
      snapshots/  NAME_iter_6000.caffemodel  NAME_iter_6000.solverstate
      logs/       train.log metrics.jsonl curves.png
      inspect/
      seeds/seed_7/                    a rerun with another random_seed: generation.json prototxt/ snapshots/ logs/
      folds/5/fold_1/                  the same pictures split in another way, as a generation of its own

A snapshot counts once it is listed in the record, which is written last: a pair that a killed process left
behind is not.
"""

from workflow.generations.finding import (
    Reference,
    existing,
    generation,
    generations,
    no_generation,
    no_project,
    resolve,
)
from workflow.generations.folder import Generation
from workflow.generations.record import Record, SnapshotRecord

__all__ = [
    "Generation",
    "Record",
    "Reference",
    "SnapshotRecord",
    "existing",
    "generation",
    "generations",
    "no_generation",
    "no_project",
    "resolve",
]
