"""Find the class of a Python layer, in a module of the project folder or on Python's path."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from workflow.errors import Location, NetError, WorkflowError, did_you_mean

_PYCAFFE = "workflow.pycaffe"
_importing = threading.RLock()
"""Python's path and its modules belong to the process: one thread at a time searches them for another project."""


def load_class(module: str, name: str, folder: Path) -> type:
    """Import a module and take a class out of it.

    The folder is looked at first, then Python's own path. Where the module says `import caffe`, it gets this
    project's pycaffe, unless a module of that name is loaded already.

    Raises:
        NetError: there is no such module or class, or the module cannot be imported; says where it stops.
    """
    with _importing, _searching(folder):
        serve_as_caffe()
        _forget_namesake(module.partition(".")[0])
        try:
            found = importlib.import_module(module)
        except WorkflowError:
            raise
        except Exception as error:  # the module may raise anything
            raise complaint(f"module '{module}' cannot be imported", error, folder) from error
    thing = getattr(found, name, None)
    if not isinstance(thing, type):
        classes = [key for key, value in vars(found).items() if isinstance(value, type)]
        raise NetError(f"module '{module}' has no class '{name}'", at=found.__file__, hint=did_you_mean(name, classes))
    return thing


class UserCodeError(NetError):
    """An exception raised by a user's class, which is this error's cause."""


def complaint(what: str, error: BaseException, folder: Path) -> UserCodeError:
    """An error in a user's code, with the line of the project folder that it comes from."""
    text = str(error) or type(error).__name__
    hint = f"modules are looked for in {folder.resolve()} first" if isinstance(error, ModuleNotFoundError) else None
    return UserCodeError(f"{what}: {type(error).__name__}: {text}", at=_line(error, folder.resolve()), hint=hint)


def _line(error: BaseException, folder: Path) -> Location | None:
    """The innermost line under the folder that the error passed."""
    found, trace = None, error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_absolute() and path.is_relative_to(folder):
            found = Location(path=path, line=trace.tb_lineno)
        trace = trace.tb_next
    return found


def serve_as_caffe() -> None:
    """Let `import caffe` give this project's pycaffe in this process, if nothing else has that name.

    A user's class is a client of the topmost room, which this one may not know: it is asked for by its name.
    """
    if "caffe" in sys.modules or importlib.util.find_spec(_PYCAFFE) is None:
        return
    sys.modules["caffe"] = importlib.import_module(_PYCAFFE)
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{_PYCAFFE}."):
            sys.modules["caffe" + name.removeprefix(_PYCAFFE)] = module


@contextmanager
def _searching(folder: Path) -> Iterator[None]:
    """Put a folder in front of Python's path temporarily."""
    entry = str(folder.resolve())
    sys.path.insert(0, entry)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(entry)


def _forget_namesake(name: str) -> None:
    """Forget a module of the same name from another project's folder."""
    loaded: ModuleType | None = sys.modules.get(name)
    found = importlib.machinery.PathFinder.find_spec(name, sys.path[:1])
    if loaded is None or found is None or getattr(loaded.__spec__, "origin", None) == found.origin:
        return
    for other in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[other]
