"""Show picture files to a net, part by part: decoded and judged in the same process, which computes with one thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.parts import Part
from workflow.cluster.result_file import write_result
from workflow.cluster.work import Task, Work, work
from workflow.data.decoding import Decoding
from workflow.data.sources.reading import holder
from workflow.exams.novelty import Novelty, load, reduced, write
from workflow.exams.picture import BATCH
from workflow.models.model import Model
from workflow.models.packing import PackedModel, packed
from workflow.silence import silenced


@work("exams.showing")
class Showing(Work, frozen=True, kw_only=True):
    """The result of a part: why some files are no pictures, `digests` of the others, and `novelty.reduced`."""

    model: PackedModel
    blobs: tuple[str, ...]
    engine: str
    ignore: tuple[str, ...] = ()
    """Layers whose weights are not copied."""
    rule: str | None = None
    """The file of the rule that measures distances."""

    @classmethod
    def of(
        cls,
        model: Model,
        blobs: Collection[str],
        rule: Novelty | None,
        engine: str,
        ignore: Sequence[str],
        folder: Path,
    ) -> Showing:
        """The work whose model and rule are in files in `folder`, which are written here."""
        path = folder / "rule.npz"
        if rule is not None:
            write(path, model, rule)
        return cls(
            model=packed(model, folder),
            blobs=tuple(sorted(blobs)),
            engine=engine,
            ignore=tuple(ignore),
            rule=None if rule is None else str(path),
        )

    def begin(self) -> Task:
        """Open the net.

        Raises:
            NetError, ModelError, EngineMissing: as `Model.open`.
        """
        model = self.model.unpacked()
        session = model.open(self.engine, ignore=self.ignore)
        rule = None if self.rule is None else load(Path(self.rule), model)
        wanted = {*self.blobs, *(rule.blobs if rule else ())}
        decoding = Decoding(preprocessing=model.preprocessing, max_pixels=model.max_pixels)

        def show(part: Part, out: BinaryIO) -> None:
            with silenced():
                decoded = decoding.decode(part)
            rows: dict[str, list[NDArray[Any]]] = {}
            for start in range(0, len(decoded.pixels), BATCH):
                computed = model.forward(session, decoded.pixels[start : start + BATCH], wanted)
                for blob, found in reduced(computed, self.blobs, rule).items():
                    rows.setdefault(blob, []).append(found.copy())
            arrays = {blob: np.concatenate(found) for blob, found in rows.items()}
            write_result(out, decoded.refusals, {"digests": decoded.digests, **arrays})

        return show

    def reads(self, part: Part) -> Sequence[bytes]:
        """See `Work`."""
        return [path for item in part.items if (path := holder(item)) is not None]
