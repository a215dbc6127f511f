"""Whether an engine can run here."""

from __future__ import annotations

from msgspec import Struct


class Status(Struct, frozen=True, kw_only=True):
    """Whether an engine can run here."""

    name: str
    ready: bool
    version: str
    """Name and version of what computes, such as `PyTorch 2.13.0`; empty if not ready."""
    trains: bool
    hint: str = ""
    """How to get it, where it is not ready."""
