"""The exceptions of this module, as subclasses of those that pycaffe raises, since scripts catch them.

Where real Caffe ends the process (a failed check of its own), there is nothing to catch; those are ValueErrors here.
"""

from __future__ import annotations

from workflow.errors import DataError, EnvironmentFault, NetError, PrototxtError


class Refused(NetError, ValueError):
    """Arguments that a net, a blob or a transformer cannot take."""


class FileMissing(PrototxtError, RuntimeError):
    """A net, solver or model that cannot be opened: pycaffe raises RuntimeError for it."""


class FeedRefused(NetError, RuntimeError):
    """Arrays that a MemoryData layer cannot take: pycaffe raises RuntimeError for them."""


class BlobUnknown(NetError, KeyError):
    """A blob name that the net does not have: pycaffe raises KeyError for it."""


class PictureUnreadable(DataError, OSError):
    """A picture that cannot be read: pycaffe raises an OSError for it, and scripts skip such files."""


class PictureMissing(PictureUnreadable, FileNotFoundError):
    """A picture that is not there."""


class FolderUnusable(EnvironmentFault, OSError):
    """A folder for snapshots that is not there or cannot be written to."""
