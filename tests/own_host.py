"""A place for a server that is started later."""

from __future__ import annotations

import os
import socket


def own_host() -> str:
    """ADDRESS:PORT, at a loopback address of this process alone, so that no other one takes the port meanwhile."""
    pid = os.getpid()
    address = f"127.{1 + (pid >> 16) % 250}.{(pid >> 8) % 256}.{pid % 256}"
    with socket.create_server((address, 0)) as free:
        return f"{address}:{free.getsockname()[1]}"
