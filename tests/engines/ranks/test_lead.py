"""What becomes of a training whose trainers fail."""

from __future__ import annotations

import queue

from workflow.engines.ranks import lead
from workflow.engines.ranks.child import GONE, Message
from workflow.engines.ranks.task import LOST


def test_the_cause_is_heard_however_late(monkeypatch):
    """As where this process was stopped for longer than it would have waited."""
    monkeypatch.setattr(lead, "_GRACE", 0.0)
    told: queue.SimpleQueue[Message] = queue.SimpleQueue()
    told.put(Message(1, [GONE, b"trainer 1 ended with SIGKILL"]))
    effect = Message(0, [LOST, b"no answer"])
    assert str(lead._failure([effect, *lead._more(effect, told, 2)])) == "trainer 1 ended with SIGKILL"
