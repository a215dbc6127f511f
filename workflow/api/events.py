"""What a training run reports while it goes, and how it is asked to stop; see `Project.train`."""

from workflow.engines.base import Control, Done, Event, Note, Snapshot, Started, Step, Validation

__all__ = ["Control", "Done", "Event", "Note", "Snapshot", "Started", "Step", "Validation"]
