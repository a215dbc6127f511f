"""Detect runs that learn nothing, or no longer learn, and warn once about each sign.

A single loss is noise, so means over many steps are compared, and test passes beside them: with the loss that guessing
costs, with the accuracy of the best constant answer, and with what they were.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from workflow.engines.base import Done, Event, Started, Step, Validation
from workflow.evaluation.metrics import constant_answer
from workflow.formats import caffe_pb2
from workflow.generations.record import merit
from workflow.training.outputs import accuracy_of, loss_of

_log = logging.getLogger("workflow")
_EARLY = 300  # steps before which nothing is reported, even at the end of a run
_STEPS = 500  # steps before the first warning of a running training
_START = 50  # steps whose mean is the loss at the start
_WINDOW = 200  # steps over which a mean is taken
_PASSES = 3  # test passes in a row that must agree before a warning
_UNEQUAL = 4  # times the pictures of the rarest class
_PICTURES = 50  # test pictures below which an accuracy says too little
_FLAT = 0.01  # share of the guess's loss within which a mean loss is still a guess
_HIGH = 3.0  # times the guess's loss: far above it
_FALLING = 0.8  # a mean below this share of the mean before it still falls
_GROWN = 2.0  # times its lowest value: a test loss that has grown
_EXPLOSION = 1e4
_THIRD = 3  # a run's last third without a better test pass


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """One test pass, and the mean training loss at that time."""

    iteration: int
    accuracy: float | None
    only: int | None
    loss: float | None
    train_loss: float


class Watch:
    """Reads a run's events; warns once of each sign.

    Args:
        classes: their names, in the order of their numbers.
        train: pictures of each class that are trained on.
        test: pictures of each class that the test passes look at.
        split: what these are: `validation` or `test`.
        net: the train_test net; its losses say whether the cost of guessing is known.
        solver: name of the user's solver file, for the advice.
    """

    def __init__(
        self,
        *,
        classes: Sequence[str],
        train: Mapping[str, int],
        test: Mapping[str, int],
        net: caffe_pb2.NetParameter,
        solver: str,
        split: str = "test",
    ) -> None:
        weight = _softmax_weight(net)
        self._guess = None if weight is None else weight * _entropy(train) or None  # of one class: nothing to guess
        self._unsure = math.log(max(len(train), 2)) * (weight or 1.0)  # the loss of a net that prefers no class
        self._constant = constant_answer(test)
        self._train = {name: count for name, count in train.items() if count}
        self._count = sum(test.values())
        self._rarest = min((count for count in test.values() if count), default=0) / max(self._count, 1)
        self._solver, self._split = solver, split
        self._losses: deque[float] = deque(maxlen=2 * _WINDOW)
        self._start: list[float] = []
        self._passes: list[_Pass] = []
        self._steps = 0
        self._rate = 0.0
        self._first: float | None = None
        self._classes = tuple(classes)
        self._goal = 0
        self._grown: str | None = None
        self.said: dict[str, str] = {}
        """Sign -> what was said of it, a sentence or two."""

    def see(self, event: Event) -> None:
        """Process an event."""
        match event:
            case Started():
                self._goal = event.max_iter
            case Step():
                self._step(event)
            case Validation(net=0) if event.iteration and self._losses:
                self._passes.append(
                    _Pass(
                        iteration=event.iteration,
                        accuracy=accuracy_of(event.outputs),
                        only=event.only,
                        loss=loss_of(event.outputs),
                        train_loss=self._level(),
                    )
                )
                self._judge(ended=False)
            case Done(stopped=False):
                self._judge(ended=True)
            case _:
                pass

    def _step(self, step: Step) -> None:
        self._losses.append(step.loss)
        if self._steps < _START:
            self._start.append(step.loss)
        self._steps += 1
        self._rate = step.rate
        self._grown = step.grown or self._grown
        if self._first is None:
            self._first = max(step.loss, 1e-3)
        if step.loss > _EXPLOSION * self._first:
            self._say(
                "grows",
                f"the loss grew from {self._first:.3g} to {step.loss:.3g}{self._cause}. {self._advice('Lower')}",
            )
        if self._steps % _STEPS == 0:
            self._judge(ended=False)

    def _judge(self, *, ended: bool) -> None:
        if self._steps < (_EARLY if ended else _STEPS):
            return
        signs = (self._stays_high, self._guesses, self._answers_one_class, self._answers_badly, self._memorises)
        if not any(sign(ended) for sign in signs):  # one sign explains the others
            self._stands_still()

    # ---- the signs ----

    def _stays_high(self, ended: bool) -> bool:
        """The loss is far above the cost of guessing, and not falling."""
        del ended
        level = self._level()
        if level < _HIGH * self._unsure or self._falls():
            return False
        advice = self._advice("Lower")
        if fmean(self._start) >= _FALLING * level:  # the weights began so: the rate is not the cause
            advice = "Lower the std of the weight fillers, or scale the input, then wf train --fresh"
        self._say(
            "high",
            f"the loss stays at {level:.3g} where guessing gives {self._unsure:.3g}: the net is certain and wrong "
            f"(87.33 is the highest possible loss of a picture){self._cause}. {advice}",
        )
        return True

    def _guesses(self, ended: bool) -> bool:
        """The loss is no lower than guessing or than at the start, and the test no better than a constant answer."""
        del ended
        last = self._passes[-1].accuracy if self._passes else None
        if self._falls() or (last is not None and self._beats(last, 2)):
            return False
        level, start = self._level(), fmean(self._start)
        still = last is not None and self._is_still(start)
        if not still and (self._guess is None or not self._is_still(self._guess)):
            return False
        cost = "" if self._guess is None else f"; guessing gives {self._guess:.3f}"
        tested = (
            "" if last is None or self._constant is None else f"; {self._split} accuracy {last:.4f}, {self._always}"
        )
        self._say(
            "guesses",
            f"after {self._steps:,} iterations the net has learned nothing (loss {level:.3f}, {start:.3f} at the start"
            f"{cost}{tested}). {self._advice('Change')}",
        )
        return True

    def _answers_one_class(self, ended: bool) -> bool:
        """Every test picture gets the same class."""
        answers = {one.only for one in self._recent_passes(ended)}
        number = answers.pop() if len(answers) == 1 else None
        if number is None or number >= len(self._classes):
            return False
        shares = sorted(self._train.values())
        if len(shares) > 1 and shares[-1] > _UNEQUAL * shares[0]:
            advice = "The classes are unequal: train.balance: loss lets them count the same, then wf train --fresh"
        else:
            advice = self._advice("Lower")
        self._say(
            "one class",
            f"the net answers '{self._classes[number]}' for every {self._split} picture; the training loss is "
            f"{self._level():.3g}. {advice}",
        )
        return True

    def _answers_badly(self, ended: bool) -> bool:
        """It learns its training pictures, without effect on the test pictures."""
        recent = [one.accuracy for one in self._recent_passes(ended) if one.accuracy is not None]
        if self._constant is None or self._count < _PICTURES or not recent:
            return False
        accuracy, level = fmean(recent), self._level()
        if accuracy < self._rarest - 3 * math.sqrt(self._rarest * (1 - self._rarest) / self._count):
            self._say(
                "below",
                f"{self._split} accuracy {accuracy:.4f} is below chance, and the training loss is {level:.3g}: the "
                f"labels of the {self._split} pictures are probably swapped. wf suspects lists them",
            )
            return True
        if self._beats(accuracy, 1):
            return False
        self._say(
            "constant",
            f"{self._split} accuracy {accuracy:.4f} is hardly better than a constant answer ({self._always}); the "
            f"training loss is {level:.3g}. wf evaluate shows each class, wf suspects lists doubtful labels",
        )
        return True

    def _memorises(self, ended: bool) -> bool:
        """The test loss grows, the training loss falls, and the accuracy is no better for it."""
        del ended
        passes = [one for one in self._passes if one.loss is not None]
        if not passes:
            return False
        low = min(passes, key=lambda one: one.loss or 0.0)
        since = [one for one in passes if one.iteration > low.iteration]
        if low.loss is None or len(since) < _PASSES or any((one.loss or 0.0) < _GROWN * low.loss for one in since[-2:]):
            return False
        last = since[-1]
        gained = None if last.accuracy is None or low.accuracy is None else last.accuracy - low.accuracy
        if last.train_loss >= low.train_loss or (gained is not None and gained > self._deviation(last.accuracy or 0.0)):
            return False
        self._say(
            "memorises",
            f"the {self._split} loss has grown from {low.loss:.4f} at iteration {low.iteration:,} to {last.loss:.4f} "
            f"while the training loss fell from {low.train_loss:.3g} to {last.train_loss:.3g}: the net memorises its "
            "training pictures. More iterations do not help; more pictures do: wf next FOLDER chooses them",
        )
        return True

    def _stands_still(self) -> None:
        """No test pass of the last third of the run is better than the best before it."""
        if not self._passes or not self._goal or self._count < _PICTURES:
            return
        best = max(self._passes, key=lambda one: merit(one.accuracy, one.loss))
        last = self._passes[-1]
        since = [one for one in self._passes if one.iteration > best.iteration]
        if len(since) < _PASSES or _THIRD * (last.iteration - best.iteration) < self._goal or best.accuracy is None:
            return
        self._say(
            "stands still",
            f"no better {self._split} accuracy since iteration {best.iteration:,} ({best.accuracy:.4f}), a third of "
            f"the run. Lower the rate there (stepvalue in {self._solver}), or end such a run: wf train --patience 3",
        )

    # ---- numbers and words ----

    def _recent_passes(self, ended: bool) -> list[_Pass]:
        """The last passes; none if they are too few, while the run goes on."""
        recent = self._passes[-_PASSES:]
        return recent if ended or len(recent) == _PASSES else []

    def _level(self) -> float:
        """The mean loss of the last steps."""
        return fmean(self._recent())

    def _falls(self) -> bool:
        """Whether that mean is clearly lower than the one before it."""
        return self._level() < _FALLING * fmean(list(self._losses)[: -len(self._recent())])

    def _is_still(self, level: float) -> bool:
        """Whether the mean is no lower than `level`, by more than noise."""
        recent = self._recent()
        error = stdev(recent) / math.sqrt(len(recent))
        return self._level() >= level - max(_FLAT * level, 2 * error)

    def _recent(self) -> list[float]:
        return list(self._losses)[-min(_WINDOW, max(1, len(self._losses) // 2)) :]

    def _beats(self, accuracy: float, deviations: float) -> bool:
        """Whether an accuracy is significantly above that of the constant answer."""
        if self._constant is None:
            return True
        share = self._constant.accuracy
        return accuracy > share + deviations * self._deviation(share)

    def _deviation(self, share: float) -> float:
        return math.sqrt(share * (1 - share) / max(self._count, 1))

    @property
    def _always(self) -> str:
        return "" if self._constant is None else self._constant.words

    def _advice(self, verb: str) -> str:
        return f"{verb} base_lr (the rate is now {self._rate:g}) in {self._solver}, then wf train --fresh"

    @property
    def _cause(self) -> str:
        return "" if self._grown is None else f"; {self._grown}"

    def _say(self, sign: str, text: str) -> None:
        if sign not in self.said:
            self.said[sign] = text
            _log.warning("%s", text)


def _entropy(counts: Mapping[str, int]) -> float:
    """The entropy of the labels in nats, the lowest mean loss of a constant answer: -sum p ln p."""
    total = sum(counts.values())
    shares = [count / total for count in counts.values() if count]
    return -sum(share * math.log(share) for share in shares)


def _softmax_weight(net: caffe_pb2.NetParameter) -> float | None:
    """The sum of the loss weights in training; None unless each loss is a SoftmaxWithLoss and a mean of pictures."""
    losses = [layer for layer in net.layer if layer.type.endswith("Loss") and _trains(layer)]
    plain = all(layer.type == "SoftmaxWithLoss" and not layer.HasField("loss_param") for layer in losses)
    if not losses or not plain:
        return None
    return sum(layer.loss_weight[0] if layer.loss_weight else 1.0 for layer in losses)


def _trains(layer: caffe_pb2.LayerParameter) -> bool:
    phases = {rule.phase for rule in layer.include if rule.HasField("phase")}
    return not phases or caffe_pb2.TRAIN in phases
