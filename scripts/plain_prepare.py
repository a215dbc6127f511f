"""The plain side of scripts/bench: labelled folders to LMDB in one process, as one would write it in an hour.

`python plain_prepare.py FOLDER OUT`: every picture of FOLDER/{train,test}/CLASS (or FOLDER/CLASS) is decoded in full,
brought to 32 x 32 RGB and written as the same Datum records, in shuffled order, committed each 1,000.
"""

import random
import sys
from pathlib import Path

import lmdb
import numpy as np
from PIL import Image

from workflow.formats import caffe_pb2


def main() -> None:
    """Write OUT/SPLIT_lmdb for each split."""
    root, out = Path(sys.argv[1]), Path(sys.argv[2])
    splits = [root / "train", root / "test"] if (root / "train").is_dir() else [root]
    for split in splits:
        classes = sorted(path.name for path in split.iterdir())
        files = sorted(split.glob("*/*"))
        random.Random(1).shuffle(files)  # noqa: S311 - an order, no secret
        environment = lmdb.open(str(out / f"{split.name}_lmdb"), map_size=2**34, lib_version=0)
        transaction = environment.begin(write=True)
        for index, path in enumerate(files):
            with Image.open(path) as image:
                image = image.convert("RGB")
                if image.size != (32, 32):
                    image = image.resize((32, 32), Image.Resampling.BILINEAR)
                pixels = np.asarray(image).transpose(2, 0, 1)
            datum = caffe_pb2.Datum(
                channels=3, height=32, width=32, data=pixels.tobytes(), label=classes.index(path.parent.name)
            )
            key = f"{index:08d}_{path.relative_to(split)}".encode()
            transaction.put(key, datum.SerializeToString())
            if index % 1000 == 999:
                transaction.commit()
                transaction = environment.begin(write=True)
        transaction.commit()
        environment.close()


main()
