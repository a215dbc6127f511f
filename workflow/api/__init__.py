"""wf as a library: what the commands, the report and a notebook call.

    from workflow import Project

    project = Project("mybot")
    project.prepare()
    project.train(progress=print)
    project.snapshot("best").twin("false.png")

See docs/python-api.md.
"""

from workflow.api.project import Project
from workflow.api.result import Finding, Result
from workflow.api.snapshot import Snapshot

__all__ = ["Finding", "Project", "Result", "Snapshot"]
