"""Caffe's own log of a run: read its test results, and clean it up for keeping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflow.engines.base import Output
from workflow.engines.caffe_log import four_digits, parse, split
from workflow.engines.caffe_log.reading import Loss, Policy, Solving, Testing, TestOutput


def passes_in(lines: Sequence[str]) -> list[tuple[int, int, tuple[Output, ...]]]:
    """(iteration, number of the test net, outputs) of every test pass in the lines, in order."""
    passes: list[tuple[int, int, list[Output]]] = []
    for said in map(parse, lines):
        if isinstance(said, Testing):
            passes.append((said.iteration, said.net, []))
        elif isinstance(said, TestOutput) and passes:
            passes[-1][2].append(said.output)
    return [(iteration, net, tuple(outputs)) for iteration, net, outputs in passes]


class Log:
    """Puts right what differs from the log of `caffe train` because the worker runs one iteration at a time.

    Dates get four digits. The solver's text is the user's, and snapshots go to their final place. A displayed loss is
    the mean over average_loss iterations, and its speed is that of all iterations since the last display. `Solving`
    stands at the beginning: Caffe's Solve is called here for the end of a run only.

    Args:
        solver: the solver's text.
        renamed: (staged prefix, final prefix) of snapshots.
    """

    def __init__(self, solver: str, renamed: tuple[str, str]) -> None:
        self._solver = solver.splitlines()
        self._renamed = renamed
        self._in_solver = False

    def lines(self, lines: Sequence[str], loss: str = "") -> Iterator[str]:
        """The lines to keep.

        Args:
            lines: as they came.
            loss: the right message instead of `Iteration K …, loss = X`.
        """
        for line in lines:
            entry = split(line)
            if entry is None:
                if not self._in_solver:
                    yield line
                continue
            self._in_solver = entry.message.startswith("Initializing solver from parameters")
            said = parse(line)
            if isinstance(said, (Solving, Policy)):
                continue
            if isinstance(said, Loss) and loss:
                yield four_digits(line.removesuffix(entry.message)) + loss
                continue
            yield four_digits(line).replace(*self._renamed)
            if self._in_solver:
                yield from self._solver
