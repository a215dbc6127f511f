"""Training with `train.balance: loss`."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from small_net import DEPLOY, without_chance

from workflow.engines.base import Step
from workflow.formats.matrix import read_matrix


@pytest.fixture
def uneven(generation):
    """The generation, whose record says that its classes have 30, 15 and 5 training pictures."""
    record = generation.read()
    counts = dict(zip(record.classes, (30, 15, 5), strict=True))
    generation.write(structs.replace(record, counts=record.counts | {"train": counts}))
    return generation


def losses(events) -> list[float]:
    return [event.loss for event in events if isinstance(event, Step)]


def test_the_loss_is_weighted_and_the_deploy_net_is_not_touched(run, uneven):
    plain = losses(run(max_iter=3))
    deploy = uneven.prototxt("deploy").read_text()
    weighted = losses(run(max_iter=3, fresh=True, balance="loss"))
    assert plain != weighted
    np.testing.assert_allclose(np.diag(read_matrix(uneven.balance)), [50 / 90, 50 / 45, 50 / 15], rtol=1e-6)
    assert uneven.prototxt("deploy").read_text() == deploy
    assert losses(run(max_iter=3, fresh=True)) == plain


@pytest.mark.caffe
def test_real_caffe_weighs_in_the_same_way(run, uneven):
    Path("prototxt/small_train_test.prototxt").write_text(without_chance())
    Path("prototxt/small_deploy.prototxt").write_text(DEPLOY.replace("dim: 7 dim: 7", "dim: 9 dim: 8"))
    run(max_iter=10)
    shutil.copyfile(uneven.folder / uneven.read().snapshots[-1].model, "start.caffemodel")
    wish = {"weights": [str(Path("start.caffemodel").absolute())], "fresh": False, "balance": "loss", "max_iter": 8}
    ours = losses(run(**wish))
    theirs = losses(run(engine="caffe", **wish))
    assert len(ours) == len(theirs) == 8
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
