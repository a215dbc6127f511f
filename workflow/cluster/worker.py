"""A worker: a program that is told a work and then parts on stdin, and answers on stdout.

It ends when stdin ends, so that it dies with its parent, however that dies. Results do not travel through the pipe.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path

import msgspec

from workflow.cluster.local import MEMORY_EXIT, perform
from workflow.cluster.messages import packed_error, receive, send
from workflow.cluster.parts import Part
from workflow.cluster.work import unpacked
from workflow.errors import WorkflowError

READY, DONE, NO_MEMORY, REFUSED, ERROR, BUG = b"ready", b"done", b"memory", b"refused", b"error", b"bug"
"""What an answer begins with: loaded, the result is there, memory did not suffice, OSError, WorkflowError, another."""


def main() -> None:
    """Serve parts from stdin; the first message is the work's name, its settings and the folder of the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    warnings.simplefilter("ignore")
    said = _Said()
    logging.getLogger("workflow").addHandler(said)
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that some library prints may get between two answers
    start = receive(tasks)
    if start is None:
        return
    try:
        folder = Path(os.fsdecode(start[2]))
        task = unpacked(start[0].decode(), start[1]).begin()
        send(answers, READY, msgspec.json.encode(said.texts))
        while (message := receive(tasks)) is not None:
            part = msgspec.json.decode(message[0], type=Part)
            send(answers, DONE if perform(task, part, folder) else NO_MEMORY)
    except BrokenPipeError:
        return  # the parent has ended
    except MemoryError:
        sys.exit(MEMORY_EXIT)
    except WorkflowError as error:
        send(answers, ERROR, packed_error(error))
    except OSError as error:  # the disk is full, or worse
        send(answers, REFUSED, msgspec.json.encode((error.errno, error.strerror)))
    except Exception:
        send(answers, BUG, traceback.format_exc().encode())


class _Said(logging.Handler):
    """Keeps what the library logs: the parent says it, once for all workers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
