"""Check the paths in a net: an external prototxt must not read or write outside the project."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from workflow.errors import NetError
from workflow.formats import caffe_pb2

_VERBS = {"source": "reads", "mean_file": "reads", "root_folder": "reads", "file_name": "writes"}
"""Fields of layers' messages that are paths, whatever the layer's type."""


def refuse_outside(
    net: caffe_pb2.NetParameter, *, project: Path, at: Path | None = None, filled: Collection[str] = ()
) -> None:
    """Stop at a layer whose files are outside the project folder (X09).

    The path counts as it is written, with `..` resolved: a symbolic link in the project leads where its owner
    wants.

    Args:
        net: an upgraded net.
        project: the folder that its paths are relative to; `Path()` is the current folder.
        at: its file, for the message.
        filled: layer types whose paths are filled in and do not count.

    Raises:
        NetError: X09, with the layer and the path.
    """
    for layer in net.layer:
        for field, path in () if layer.type in filled else _paths(layer):
            if not inside(path, project):
                verb = _VERBS[field]
                link = f"ln -s {path} . and write '{Path(path).name}' in its place, or copy it into the project folder"
                raise NetError(
                    f"layer '{layer.name}' ({layer.type}) {verb} '{path}', which lies outside the project",
                    at=at,
                    hint=link if verb == "reads" else "name a file in the project folder",
                    fault="X09",
                )


def _paths(layer: caffe_pb2.LayerParameter) -> Iterator[tuple[str, str]]:
    for descriptor, message in layer.ListFields():
        if descriptor.message_type is None or descriptor.is_repeated:
            continue
        for field, value in message.ListFields():
            if field.name in _VERBS and value and isinstance(value, str):
                yield field.name, value


def inside(path: str, project: Path) -> bool:
    """Whether a path, as it is written in a prototxt, is in the project folder."""
    plain = Path(os.path.normpath(path))
    return plain.is_relative_to(project.absolute()) if plain.is_absolute() else plain.parts[:1] != ("..",)
