"""Split the pictures of a generation again into folds, each of which is the test set once."""

from __future__ import annotations

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workflow.data.duplicates import nearly_equal
from workflow.data.prepared import Prepared
from workflow.data.split import SPLITS, TEST, UNDECIDED, decide
from workflow.data.writing import write_dataset
from workflow.errors import DataError
from workflow.generations import Generation, Record
from workflow.generations.record import Training


def folds(count: int, together: NDArray[np.int64], number: int, seed: int = 0) -> NDArray[np.int64]:
    """The fold 0 .. number - 1 of each picture, int64 (N,); near-duplicates get the same fold, to avoid leaks.

    Args:
        count: N.
        together: int64 (P, 2), pairs of pictures that are copies.
        number: of folds.
        seed: of the random choice.
    """
    links = coo_array((np.ones(len(together)), (together[:, 0], together[:, 1])), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    places = np.random.default_rng(seed).permutation(groups) % number
    result: NDArray[np.int64] = places[group].astype(np.int64)
    return result


def write_folds(generation: Generation, number: int, validation: float) -> list[Generation]:
    """Write the data set and the record of each fold, unless they are there already.

    The validation pictures of a fold are a share of those that are not in it, chosen by their bytes as `data.split`
    does.

    Args:
        generation: whose pictures of all parts are split.
        number: of folds, at least 2.
        validation: the share, 0..1.

    Raises:
        DataError: the pictures of a class are all in one fold; the data set is damaged.
        OSError: as the operating system says it.
    """
    record = generation.read()
    made = [generation.fold(number, place) for place in range(1, number + 1)]
    if all(one.record_path.is_file() for one in made):
        return made
    with Prepared(generation) as pictures:
        groups = nearly_equal(pictures.thumbnails(), np.arange(len(pictures.labels)), pictures.some)
        pairs = [(int(group[0]), int(other)) for group in groups for other in group[1:]]
        fold = folds(len(pictures.labels), np.array(pairs, np.int64).reshape(-1, 2), number)
        _check(record, pictures.labels, fold, number)
        nothing = np.full(len(fold), UNDECIDED, np.int8)
        for place, one in enumerate(made):
            explicit = np.where(fold == place, TEST, UNDECIDED).astype(np.int8)
            sides = decide(pictures.digests, explicit, nothing, groups, 0.0, validation).sides
            one.folder.mkdir(parents=True, exist_ok=True)
            hashes = write_dataset(one, pictures, sides, pictures, record.config.prepare.seed or 0, [])
            counts = {
                name: dict(zip(record.classes, np.bincount(mine, minlength=len(record.classes)).tolist(), strict=True))
                for side, name in enumerate(SPLITS)
                if len(mine := pictures.labels[sides == side])
            }
            empty = structs.replace(record, training=Training(), snapshots=(), commands=())
            one.write(structs.replace(empty, counts=counts, hashes=hashes))
    return made


def _check(record: Record, labels: NDArray[np.int64], fold: NDArray[np.int64], number: int) -> None:
    """Each class needs pictures in two folds, so that no net is trained without it."""
    for label, name in enumerate(record.classes):
        if np.any(labels == label) and len(np.unique(fold[labels == label])) < 2:
            raise DataError(
                f"the pictures of '{name}' are all in one of {number} folds: too few, or nearly equal",
                hint=f"add other images of '{name}'",
                fault="P38",
            )
