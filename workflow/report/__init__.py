"""Pages and pictures about a run, drawn from the files that it leaves."""

from workflow.report.curves import draw_curves

__all__ = ["draw_curves"]
