"""One evaluation as a process of its own, whose peak memory scripts/bench reads.

`python bench_evaluate.py records|files NUMBER`, in a project folder: the newest snapshot is shown NUMBER pictures, the
test set of its generation again and again, out of a database or as files, and everything is written as
`wf evaluate` does. What it needs is made first by `python bench_evaluate.py make NUMBER`.
"""

import sys
from itertools import cycle, islice
from pathlib import Path

from msgspec import structs

from workflow.config import Config
from workflow.data import manifest
from workflow.evaluation.evaluate import evaluate, write
from workflow.exams.exam import Exam, Records
from workflow.exams.files import Files
from workflow.formats.lmdb import Reader, Writer
from workflow.generations import Generation, existing
from workflow.models.loading import load


def repeated(number: int) -> Generation:
    """Where the database of so many records lies; no generation that anything else finds."""
    return Generation(1, Path("repeated") / str(number))


def make(number: int) -> None:
    """A generation whose test set is another's, repeated."""
    source, target = existing(Config()), repeated(number)
    record = source.read()
    with Reader(source.database("test")) as reader:
        values = reader.values(0, len(reader))
    lines = [line for line in source.manifest.read_text().splitlines(keepends=True) if '"split": "test"' in line]
    target.dataset.mkdir(parents=True)
    with Writer(target.database("test")) as writer:
        for index, value in enumerate(islice(cycle(values), number)):
            writer.put(b"%08d" % index, value)
    with target.manifest.open("w") as file:
        file.writelines(islice(cycle(lines), number))
    target.write(structs.replace(record, counts={"test": {"all": number}}))


def exam(kind: str, number: int) -> Exam:
    """So many pictures, of which each comes several times."""
    if kind == "records":
        return Records(generation=repeated(number), split="test")
    listed = (one for one in manifest.read(repeated(number)))
    return Files(name=f"{number} files", files=[(one.path, sys.intern(one.class_name)) for one in listed])


def main() -> None:
    """Do one of them."""
    kind, number = sys.argv[1], int(sys.argv[2])
    if kind == "make":
        make(number)
    else:
        model = load(Config())
        write(repeated(number).folder / kind, evaluate(model, exam(kind, number), fresh=True, engine="torch"))


if __name__ == "__main__":
    main()
