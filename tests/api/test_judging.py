"""A net that stays open answers as `predict` does, with the rule for unknown pictures."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workflow import Project
from workflow.exams import novelty


def drawn_rule(classes: int) -> novelty.Novelty:
    rng, length = np.random.default_rng(1), 2 * 64 + classes
    return novelty.Novelty(
        maps=("pool3",),
        logits="ip2",
        small=np.full(length - classes, 0.1, np.float32),
        centre=rng.normal(size=length).astype(np.float32),
        whitening=np.eye(length, dtype=np.float32),
        means=rng.normal(size=(classes, length)).astype(np.float32),
        limit=2.5,
    )


def test_it_says_how_far_a_picture_is_from_the_training_pictures(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.root, root := tmp_path / "mybot")
    snapshot = Project(root).snapshot("gen1/best")
    image = root / "images" / "other" / "0001.png"
    pixels = [snapshot.model.read(image)]
    judging = snapshot.judging()
    assert judging.label(pixels)[0].distance is None
    assert snapshot.model.file is not None
    path, rule = novelty.path_of(snapshot.model.file), drawn_rule(len(snapshot.model.classes or ()))
    novelty.write(path, snapshot.model, rule)
    (found,), predicted = judging.label(pixels), snapshot.predict(image)
    assert predicted.distance is not None
    assert found.distance == pytest.approx(predicted.distance, rel=1e-4)
    for factor, unknown in ((0.5, True), (2.0, False)):  # the rule is another one while the net is open
        assert found.distance is not None
        novelty.write(path, snapshot.model, replace(rule, limit=rule.limit * found.distance * factor))
        os.utime(path, ns=(round(factor), round(factor)))
        (again,) = judging.label(pixels)
        assert (again.label, again.unknown) == (found.label, unknown)
        assert again.distance == pytest.approx(1 / factor, rel=1e-4)
    path.unlink()
    assert judging.label(pixels)[0].distance is None
