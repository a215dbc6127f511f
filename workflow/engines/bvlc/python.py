"""Find the Python that runs real Caffe."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from workflow.errors import EngineMissing

VARIABLE = "WF_CAFFE_PYTHON"
"""Environment variable that names the Python to use, such as that of Debian's python3-caffe."""

HINT = "scripts/install_caffe"

_ROOT = Path(__file__).parents[3]  # the checkout, or the folder that wf is installed in


def find(*folders: Path) -> Path:
    """The Python that can `import caffe`: $WF_CAFFE_PYTHON, or `.caffe/bin/python` of a project or of wf itself.

    Args:
        folders: project folders to look in first; the current folder and wf's own follow.

    Raises:
        EngineMissing: there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise EngineMissing(f"{VARIABLE} names {named}, which cannot be run", hint=HINT)
        return Path(found).absolute()
    for folder in (*folders, Path(), _ROOT):
        candidate = folder / ".caffe" / "bin" / "python"
        if os.access(candidate, os.X_OK):
            return candidate.absolute()  # not resolved: the link is what makes it a virtual environment
    raise EngineMissing("real Caffe is not installed: there is no .caffe/bin/python", hint=HINT)
