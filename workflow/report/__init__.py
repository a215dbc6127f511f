"""Pages, pictures and words for results."""

from workflow.report.curves import draw_curves

__all__ = ["draw_curves"]
