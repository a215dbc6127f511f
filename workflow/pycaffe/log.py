"""`caffe.init_log` and `caffe.log`: Caffe's terminal messages as a Python logger."""

from __future__ import annotations

import logging
import sys

_LEVELS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)  # glog's 0 to 3
_logger = logging.getLogger("workflow.pycaffe")


def init_log(level: int = 0, stderr: bool = True) -> None:
    """Show solver messages from glog's `level` on: 0 all, 1 warnings, 2 errors. Without this call they are hidden.

    With `stderr=False` the logger `workflow.pycaffe` lets it through to the handlers that the script has set up.
    """
    _logger.setLevel(_LEVELS[min(max(level, 0), 3)])
    if stderr and not any(isinstance(handler, logging.StreamHandler) for handler in _logger.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname).1s%(asctime)s %(message)s", "%m%d %H:%M:%S"))
        _logger.addHandler(handler)


def log(message: str) -> None:
    """Log a message at level INFO."""
    _logger.info("%s", message)
