"""What several workers gain, as measured in the first iterations of the run itself."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from workflow.engines.base import Event, Note, Ranks, Step
from workflow.engines.torch_cpu.together import Together

_FROM, _TO = 5, 25  # iterations that are measured: the first ones are slower


def measured(events: Iterator[Event], ranks: Ranks, group: Together) -> Iterator[Event]:
    """The events, with a Note on the gain once it is measured."""
    computing: list[float] = []
    exchanging: list[float] = []
    before = 0.0
    for event in events:
        yield event
        if isinstance(event, Step) and len(computing) < _TO:
            exchanging.append(group.seconds - before)
            computing.append(event.seconds - exchanging[-1])
            before = group.seconds
            if len(computing) == _TO:
                yield Note(text=words(ranks, median(computing[_FROM:]), median(exchanging[_FROM:])))


def words(ranks: Ranks, computing: float, exchanging: float) -> str:
    """What an iteration is made of, and what one worker alone would take for the same.

    Args:
        ranks: the workers.
        computing: seconds of an iteration that rank 0 computes.
        exchanging: seconds that it exchanges gradients or waits for slower workers.
    """
    alone = computing * ranks.micro / len(range(0, ranks.micro, ranks.workers))
    seconds = computing + exchanging
    text = f"an iteration takes {1000 * seconds:.0f} ms, {1000 * exchanging:.0f} ms of which exchange gradients: "
    if ranks.rule == "each":
        return f"{text}{alone / seconds:.1f} times as many pictures a second as one worker, in larger batches"
    each = ranks.workers * alone / (alone + exchanging)
    return (
        f"{text}{alone / seconds:.1f} times the speed of one worker with the same micro-batches; "
        f"--batch each would give about {each:.1f} times as many pictures a second, in larger batches"
    )
