"""Import data sets and networks of other programs as a generation."""

from workflow.importing.importing import import_generation
from workflow.importing.result import ImportResult

__all__ = ["ImportResult", "import_generation"]
