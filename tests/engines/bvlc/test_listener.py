from __future__ import annotations

import os

import pytest

from workflow.engines.bvlc import listener
from workflow.engines.bvlc.listener import Listener


@pytest.fixture
def pipe():
    """(listener, function that writes bytes, function that ends the stream)."""
    reader, writer = os.pipe()
    stream = os.fdopen(reader, "rb")
    one = Listener(stream)
    ended = []

    def end():
        if not ended:
            os.close(writer)
            ended.append(True)

    yield one, lambda data: os.write(writer, data), end
    end()
    one.join(60)
    stream.close()


def test_lines_up_to_a_mark(pipe):
    one, write, _ = pipe
    write(b"first\nsecond\r\n\x1ewf 1\nthird\n")
    assert one.lines_until(1, 60)[:2] == ["first", "second"]
    write(b"\n\x1ewf 2\n")
    lines = one.lines_until(2, 60)
    assert lines[-1] == ""  # an empty line is one, a mark is none


def test_words_before_a_mark_are_kept(pipe):
    one, write, _ = pipe
    write(b"half a line\x1ewf 7\n")
    assert one.lines_until(7, 60) == ["half a line"]


def test_a_mark_that_never_comes(pipe):
    one, write, end = pipe
    write(b"a\xffb\n")
    assert one.lines_until(1, 0.05) in ([], ["a\ufffdb"])
    end()
    one.lines_until(1, 60)  # the end of the stream ends the waiting
    assert one.tail(60) == ["a\ufffdb"]


def test_memory_is_bounded(pipe, monkeypatch):
    one, write, end = pipe
    for number in range(listener.TAIL + 10):
        write(b"%d\n" % number)
    write(b"x" * 40_000 + b"\n")
    end()
    tail = one.tail(60)
    assert len(tail) == listener.TAIL
    assert tail[-2:] == [str(listener.TAIL + 9), "x" * 40_000]
