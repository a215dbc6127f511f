"""The result of `wf verify`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workflow.errors import FindingError
from workflow.formats.mending import make_again
from workflow.words import and_more

_SHOWN = 5  # problems in the message; all of them are in the result


@dataclass(kw_only=True)
class Verification:
    """The result of a completed `wf verify`; `check` raises its findings."""

    generation: str
    snapshot: str | None
    """None for a generation without a snapshot: its records are verified, and no blob."""
    checked: int = 0
    """Records that were compared with their pictures."""
    max_abs_difference: float = 0.0
    """The largest between a record and its picture, and between the blobs of the two input paths."""
    engines: dict[str, float] = field(default_factory=dict)
    """Other engine -> the largest difference of any blob, relative to the blob's largest number."""
    missing: list[str] = field(default_factory=list)
    """Pictures that are no longer where they were prepared from."""
    changed: list[str] = field(default_factory=list)
    """Pictures whose bytes have changed since they were prepared."""
    problems: list[str] = field(default_factory=list)
    net_problems: list[str] = field(default_factory=list)
    """Differences that the nets' prototxt files cause, not the data set."""

    def json(self) -> dict[str, Any]:
        """As `wf verify --json` gives it."""
        return dict(vars(self))

    def check(self) -> None:
        """Raise the finding, if there is one.

        Raises:
            FindingError: something differs.
        """
        found = [*self.net_problems, *self.problems]
        if not found:
            return
        shown = "; ".join([*found[:_SHOWN], *and_more(len(found), _SHOWN)])
        if self.net_problems:
            raise FindingError(shown, hint="correct it in prototxt/; the next wf train uses it")
        hint = make_again(f"{self.generation}/dataset")
        if all(one.startswith("blob ") for one in self.problems):  # the records are as they were made
            hint = "the data set is whole: compare the deploy net with the train_test net in prototxt/, layer by layer"
        raise FindingError(shown, hint=hint, fault="L04")
