"""Runs that learn nothing are spoken of once, and runs that learn are not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from workflow.engines.base import Done, Output, Started, Step, Validation
from workflow.formats import caffe_pb2, prototxt
from workflow.training.watch import Watch

NET = """
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" LOSS }
"""
EVEN = {"cat": 200, "dog": 200}
STEPS = 800
EVERY = 100


def watch(train: dict[str, int] = EVEN, test: dict[str, int] | None = None, *, loss: str = "", net: str = NET) -> Watch:
    message = prototxt.parse(net.replace("LOSS", loss), caffe_pb2.NetParameter)
    return Watch(
        classes=tuple(train),
        train=train,
        test=test or {"cat": 100, "dog": 100},
        net=message,
        solver="prototxt/s.prototxt",
    )


def run(
    seen: Watch,
    losses: Sequence[float],
    *,
    accuracy: float | Sequence[float] | None = None,
    test_loss: Sequence[float] | float = 0.5,
    only: int | None = None,
    grown: str | None = None,
) -> None:
    """A run of these losses, tested at 0 and after each hundred; an accuracy for all tests or one for each."""
    seen.see(Started(iteration=0, max_iter=len(losses), images=10))
    for k, loss in enumerate([*losses, math.nan]):
        if accuracy is not None and k % EVERY == 0:
            place = k // EVERY
            score = accuracy if isinstance(accuracy, float) else accuracy[place]
            cost = test_loss if isinstance(test_loss, float) else test_loss[place]
            outputs = (
                Output(index=0, name="accuracy", value=score),
                Output(index=1, name="loss", value=cost, loss_weight=1),
            )
            seen.see(Validation(iteration=k, net=0, outputs=outputs, only=only))
        if k < len(losses):
            said = grown if k == 100 else None
            step = Step(iteration=k, loss=loss, rate=0.05, seconds=1, display=False, smoothed_loss=loss, grown=said)
            seen.see(step)
    seen.see(Done(iteration=len(losses), loss=None))


def noisy(means: Sequence[float], width: float = 0.1, seed: int = 1) -> list[float]:
    return (np.asarray(means) * (1 + width * np.random.default_rng(seed).standard_normal(len(means)))).tolist()


def falling(start: float, end: float, steps: int = STEPS) -> list[float]:
    return np.geomspace(start, end, steps).tolist()


def test_a_net_that_guesses_in_noise(caplog):
    """As with dead ReLUs: the losses of batches of 20 scatter by a tenth, their mean does not fall."""
    run(watch(), noisy([math.log(2)] * STEPS), accuracy=0.5)
    assert len(caplog.messages) == 1
    assert "after 500 iterations the net has learned nothing (loss 0.69" in caplog.text
    assert (
        " at the start; guessing gives 0.693; test accuracy 0.5000, always answering 'cat' would score" in caplog.text
    )
    assert caplog.text.rstrip().endswith(
        "Change base_lr (the rate is now 0.05) in prototxt/s.prototxt, then wf train --fresh"
    )


def test_a_loss_that_does_not_fall_from_where_random_weights_put_it(caplog):
    """As with a rate of 1e-9: a little below the cost of guessing by chance."""
    run(watch(), noisy([0.68] * STEPS, 0.01), accuracy=0.51)
    assert "the net has learned nothing (loss 0.68" in caplog.text


def test_guessing_the_larger_class_costs_less_than_the_logarithm_of_the_number_of_classes(caplog):
    train, test = {"cat": 560, "dog": 40}, {"cat": 140, "dog": 10}
    entropy = -(14 / 15) * math.log(14 / 15) - (1 / 15) * math.log(1 / 15)
    run(watch(train, test), noisy([entropy] * STEPS), accuracy=140 / 150)
    assert "the net has learned nothing" in caplog.text
    assert "always answering 'cat' would score 0.9333" in caplog.text


def test_the_losses_weights_count(caplog):
    run(watch(loss="loss_weight: 3"), noisy([3 * math.log(2)] * STEPS), accuracy=0.5)
    assert "the net has learned nothing" in caplog.text


@pytest.mark.parametrize("level", [20.0, 65.0])
def test_a_loss_far_above_guessing(caplog, level):
    run(watch(), noisy([0.7] * 50 + [level] * 650, 0.3), accuracy=0.5)
    assert len(caplog.messages) == 1
    assert "where guessing gives 0.693: the net is certain and wrong" in caplog.text
    assert "Lower base_lr (the rate is now 0.05)" in caplog.text


def test_a_loss_that_is_far_above_guessing_from_the_start(caplog):
    run(watch(), noisy([40.0] * 700, 0.3), accuracy=0.5)
    assert len(caplog.messages) == 1
    assert "base_lr" not in caplog.text
    assert "Lower the std of the weight fillers, or scale the input, then wf train --fresh" in caplog.text


def test_a_training_set_learnt_by_heart_with_shuffled_labels(caplog):
    run(watch(), noisy(falling(0.7, 0.05)), accuracy=0.52, test_loss=falling(0.7, 5, 9))
    assert len(caplog.messages) == 1
    assert "is hardly better than a constant answer (always answering 'cat' would score 0.5000)" in caplog.text
    assert "wf suspects" in caplog.text


def test_exchanged_test_folders(caplog):
    run(watch(), noisy(falling(0.7, 0.05)), accuracy=0.1, test_loss=falling(0.7, 5, 9))
    assert len(caplog.messages) == 1
    assert "test accuracy 0.1000 is below chance" in caplog.text
    assert "swapped. wf suspects lists them" in caplog.text


def test_a_test_loss_that_grows(caplog):
    grows = [0.7, 0.3, 0.2, 0.25, 0.35, 0.45, 0.5, 0.5, 0.5]
    climbing = [0.5, 0.95, 0.95, 0.95, 0.95, 0.951, 0.951, 0.951, 0.951]
    run(watch(), noisy(falling(0.7, 0.001)), accuracy=climbing, test_loss=grows)
    assert len(caplog.messages) == 1
    assert "test loss has grown from 0.2000 at iteration 200 to 0.5000 while the training loss fell" in caplog.text
    caplog.clear()
    better = [0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98]
    run(watch(), noisy(falling(0.7, 0.001)), accuracy=better, test_loss=grows)
    assert not caplog.messages


def test_a_loss_that_explodes(caplog):
    run(watch(), [0.7] * 10 + [1e5] * 3)
    assert caplog.text.count("the loss grew from 0.7 to 1e+05") == 1


@pytest.mark.parametrize("accuracy", [None, 0.97, [0.5, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.93]])
@pytest.mark.parametrize("seed", range(5))
def test_runs_that_learn_say_nothing(caplog, accuracy, seed):
    plateau = [0.693] * 200 + falling(0.693, 0.1, STEPS - 200)
    for losses in (falling(0.7, 0.05), falling(9.0, 0.3), plateau):
        run(watch(), noisy(losses, 0.2, seed), accuracy=accuracy, test_loss=falling(0.7, 0.2, 9))
    run(watch(), noisy([0.693] * 299, 0.2, seed), accuracy=0.5)  # too early to say
    assert not caplog.messages


def test_few_test_pictures_prove_nothing_about_a_loss_that_falls(caplog):
    run(watch(test={"cat": 8, "dog": 7}), noisy(falling(0.7, 0.05)), accuracy=8 / 15)
    assert not caplog.messages


def test_what_guessing_costs_is_known_of_softmax_alone(caplog):
    hinge = NET.replace("SoftmaxWithLoss", "HingeLoss")
    normalised = "loss_param { normalize: false }"
    for one in (watch(net=hinge), watch(loss=normalised)):
        run(one, noisy([0.69] * STEPS))
    assert not caplog.messages


def test_one_class_for_every_picture(caplog):
    run(watch(), noisy(falling(0.7, 0.3)), accuracy=0.5, only=1)
    assert len(caplog.messages) == 1
    assert "the net answers 'dog' for every test picture; the training loss is 0.4" in caplog.text
    assert "Lower base_lr (the rate is now 0.05)" in caplog.text


def test_one_class_for_every_picture_where_the_classes_are_unequal(caplog):
    seen = watch({"cat": 900, "dog": 100}, {"cat": 180, "dog": 20})
    run(seen, noisy(falling(0.7, 0.2)), accuracy=0.9, only=0)
    assert "the net answers 'cat' for every test picture" in caplog.text
    assert "train.balance: loss lets them count the same, then wf train --fresh" in caplog.text


def test_no_better_test_pass_in_the_last_third(caplog):
    seen = watch()
    run(seen, noisy(falling(0.7, 0.2)), accuracy=[0.5, 0.6, 0.7, 0.8, 0.85, 0.84, 0.83, 0.84, 0.85])
    assert len(caplog.messages) == 1
    assert "no better test accuracy since iteration 400 (0.8500), a third of the run" in caplog.text
    assert caplog.text.rstrip().endswith("or end such a run: wf train --patience 3")
    assert list(seen.said) == ["stands still"]


def test_the_layer_that_grew_first_is_named(caplog):
    run(watch(), noisy([0.7] * 50 + [40.0] * 650, 0.3), accuracy=0.5, grown="the output of layer 'conv2' grew first")
    assert (
        "87.33 is the highest possible loss of a picture); the output of layer 'conv2' grew first. Lower" in caplog.text
    )
