"""DetectionOutput, of the SSD fork."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.boxes import Array, decode, suppress
from workflow.net.spec import LayerSpec

Kept = list[tuple[int, list[int]]]
"""(class, indices of its boxes), classes ascending."""


@layer("DetectionOutput", bottoms=(3, 4), tops=1)
class DetectionOutput(Layer):
    """From offsets and probabilities to the boxes that were found (SSD, Liu and others 2016).

    bottom[0]  offsets        (N, P L 4)  L = 1 with `share_location`, the default, else num_classes
    bottom[1]  probabilities  (N, P num_classes)        bottom[2]  priors  (1, 2, 4 P), from PriorBox
    bottom[3]  pictures, for `visualize` alone
    top[0]     found          (1, 1, n, 7)  item, class, probability, xmin, ymin, xmax, ymax as parts of the picture

    Axes of size 1 may follow. For each class but the background: those above `confidence_threshold`, the best
    `nms_param.top_k` of them, less those that overlap a better one by more than `nms_threshold`; then the best
    `keep_top_k` of an item. Rows go by item, class and probability. If nothing is found, n = N rows hold the item
    and six times -1. Boxes are not clipped. Equal probabilities: the first one wins. No gradient.
    `save_output_param`, `visualize` and `save_file` write and show files in the fork; here they are warned of and
    left out. Source: detection_output_layer.cpp of W. Liu's SSD fork.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.param = self.message.detection_output_param
        if param.num_classes < 1:
            raise self.fail("num_classes is missing, expected at least 1")
        if param.nms_param.nms_threshold < 0:
            raise self.fail(f"nms_threshold={param.nms_param.nms_threshold:g}, expected 0 or more")
        for name in ("save_output_param", "visualize", "save_file"):
            if param.HasField(name) and getattr(param, name):
                logging.getLogger("workflow").warning(
                    "layer '%s' (DetectionOutput): %s is not obeyed; the boxes are in '%s'",
                    *(spec.name, name, spec.tops[0]),
                )

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        offsets, scores, priors = ((*bottom, 1, 1, 1)[:3] for bottom in bottoms[:3])
        boxes = priors[2] // 4
        classes = self.param.num_classes
        places = 1 if self.param.share_location else classes
        if offsets[0] != scores[0] or offsets[1] != boxes * places * 4 or scores[1] != boxes * classes:
            raise self.fail(
                f"bottoms of shapes {bottoms[0]}, {bottoms[1]} and {bottoms[2]}, expected "
                f"(N, {boxes * places * 4}), (N, {boxes * classes}) and (1, 2, {boxes * 4}) for {boxes} boxes"
            )
        return [(1, 1, 1, 7)]  # how many there will be is not known before

    def forward(self, *bottoms: Tensor) -> Tensor:
        self.top_shapes(*[tuple(bottom.shape) for bottom in bottoms])
        offsets, scores, priors = (bottom.detach().float().cpu().numpy() for bottom in bottoms[:3])
        items, classes = offsets.shape[0], self.param.num_classes
        places, variances = priors.reshape(2, -1, 4)
        # (N, P, L, 4) -> (N, L, P, 4)
        moved = offsets.reshape(items, len(places), -1, 4).transpose(0, 2, 1, 3)
        boxes = decode(
            *(moved, places, None if self.param.variance_encoded_in_target else variances), self.param.code_type
        )
        likely = scores.reshape(items, len(places), classes).transpose(0, 2, 1)  # (N, classes, P)
        rows = [row for item in range(items) for row in self._rows(item, boxes[item], likely[item])]
        if not rows:
            rows = [np.array([item, *[-1] * 6], np.float32) for item in range(items)]
        return torch.from_numpy(np.stack(rows)).reshape(1, 1, -1, 7)

    def _rows(self, item: int, boxes: Array, scores: Array) -> list[Array]:
        """Boxes (L, P, 4) and scores (classes, P) of one item -> rows of the top."""
        rows = []
        for kind, indices in self._kept(boxes, scores):
            own = boxes[0 if self.param.share_location else kind]
            rows += [np.array([item, kind, scores[kind, i], *own[i]], np.float32) for i in indices]
        return rows

    def _kept(self, boxes: Array, scores: Array) -> Kept:
        param = self.param
        kept: Kept = []
        for kind in range(param.num_classes):
            if kind == param.background_label_id:
                continue
            indices = suppress(
                boxes[0 if param.share_location else kind],
                scores[kind],
                least=param.confidence_threshold if param.HasField("confidence_threshold") else None,
                overlap=param.nms_param.nms_threshold,
                top_k=param.nms_param.top_k if param.nms_param.HasField("top_k") else -1,
                eta=param.nms_param.eta,
            )
            kept.append((kind, indices))
        return self._best(kept, scores) if param.keep_top_k >= 0 else kept

    def _best(self, kept: Kept, scores: Array) -> Kept:
        """The best `keep_top_k` over all classes."""
        found = [(-scores[kind, index], kind, index) for kind, indices in kept for index in indices]
        if len(found) <= self.param.keep_top_k:
            return kept
        best = sorted(found, key=lambda one: one[0])[: self.param.keep_top_k]
        return [(kind, [index for _, other, index in best if other == kind]) for kind, _ in kept]
