"""The error of all upgrade steps."""

from __future__ import annotations

from workflow.errors import PrototxtError
from workflow.formats.outline import Step


class UpgradeError(PrototxtError):
    """An old message that contradicts itself; `path` says which field of it, for readers that know the file."""

    def __init__(self, message: str, *path: Step, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, fault="X08")
        self.path = path
