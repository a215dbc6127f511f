"""Show picture files to a net, part by part: decoded and judged in the same process, which computes with one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from workflow.cluster.parts import Part
from workflow.cluster.result_file import write_result
from workflow.cluster.work import Task, Work, work
from workflow.data.decoding import Decoding
from workflow.data.sources.reading import holder
from workflow.engines.base import Array
from workflow.exams.picture import BATCH
from workflow.models.packing import PackedModel
from workflow.silence import silenced


@work("exams.showing")
class Showing(Work, frozen=True, kw_only=True):
    """The result of a part: why some files are no pictures, `digests` of the others, and their rows of each blob."""

    model: PackedModel
    blobs: tuple[str, ...]
    engine: str
    ignore: tuple[str, ...] = ()
    """Layers whose weights are not copied."""

    def begin(self) -> Task:
        """Open the net.

        Raises:
            NetError, ModelError, EngineMissing: as `Model.open`.
        """
        model = self.model.unpacked()
        session = model.open(self.engine, ignore=self.ignore)
        decoding = Decoding(preprocessing=model.preprocessing, max_pixels=model.max_pixels)

        def show(part: Part, out: BinaryIO) -> None:
            with silenced():
                decoded = decoding.decode(part)
            rows: dict[str, list[Array]] = {}
            for start in range(0, len(decoded.pixels), BATCH):
                computed = model.forward(session, decoded.pixels[start : start + BATCH], self.blobs)
                for blob, found in computed.items():
                    rows.setdefault(blob, []).append(found.copy())
            arrays = {blob: np.concatenate(found) for blob, found in rows.items()}
            write_result(out, decoded.refusals, {"digests": decoded.digests, **arrays})

        return show

    def reads(self, part: Part) -> Sequence[bytes]:
        """See `Work`."""
        return [path for item in part.items if (path := holder(item)) is not None]
