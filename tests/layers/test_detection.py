"""PriorBox and DetectionOutput against their published rules, stated here as loops (SSD, section 2.2 and its fork)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from one_layer import make

from workflow.errors import NetError

FEATURES, PICTURES = np.zeros((2, 4, 2, 3), "f"), np.zeros((2, 3, 40, 60), "f")


def prior_text(param):
    return f'name: "prior" type: "PriorBox" bottom: "a" bottom: "b" top: "y" prior_box_param {{ {param} }}'


def priors(sizes, ratios, *, step=(20, 20), picture=(40, 60), offset=0.5, clip=False):
    """Boxes of a 2 x 3 map; `sizes` are pairs of least and most (None for no such box)."""
    rows = []
    for h in range(2):
        for w in range(3):
            x, y = (w + offset) * step[1], (h + offset) * step[0]
            for least, most in sizes:
                forms = [(least, least)]
                if most is not None:
                    forms.append((math.sqrt(least * most),) * 2)
                forms += [(least * math.sqrt(r), least / math.sqrt(r)) for r in ratios]
                for wide, high in forms:
                    box = [(x - wide / 2) / picture[1], (y - high / 2) / picture[0]]
                    box += [(x + wide / 2) / picture[1], (y + high / 2) / picture[0]]
                    rows += [min(max(edge, 0), 1) for edge in box] if clip else box
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("param", "sizes", "ratios", "more"),
    [
        ("min_size: 9.7", [(9, None)], [], {}),
        ("min_size: 9 max_size: 25 aspect_ratio: 2", [(9, 25)], [2, 0.5], {}),
        ("min_size: 9 min_size: 16 aspect_ratio: 2 aspect_ratio: 1 flip: false", [(9, None), (16, None)], [2], {}),
        ("min_size: 30 clip: true aspect_ratio: 3 aspect_ratio: 3", [(30, None)], [3, 1 / 3], {"clip": True}),
        ("min_size: 8 step: 10 offset: 0", [(8, None)], [], {"step": (10, 10), "offset": 0}),
        ("min_size: 8 step_h: 10 step_w: 7 img_size: 50", [(8, None)], [], {"step": (10, 7), "picture": (50, 50)}),
        ("min_size: 8 img_h: 80 img_w: 30", [(8, None)], [], {"step": (40, 10), "picture": (80, 30)}),
    ],
)
def test_prior_boxes(one_layer, param, sizes, ratios, more):
    top = one_layer(prior_text(param), FEATURES, PICTURES).tops[0]
    np.testing.assert_allclose(top[0, 0], priors(sizes, ratios, **more), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(top[0, 1], np.full(top.shape[2], 0.1, "f"))


def test_variances_of_prior_boxes(one_layer):
    many = " ".join(f"variance: {value}" for value in (0.1, 0.2, 0.3, 0.4))
    top = one_layer(prior_text(f"min_size: 9 {many}"), FEATURES, PICTURES).tops[0]
    np.testing.assert_allclose(top[0, 1].reshape(-1, 4), np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (6, 1)))


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("", "expected a min_size"),
        ("min_size: 9 max_size: 9", "expected more than min_size"),
        ("min_size: 9 min_size: 8 max_size: 20", "1 max_size, expected one for each of 2"),
        ("min_size: 9 variance: 1 variance: 2", "expected none, one or four"),
        ("min_size: 9 img_size: 3 img_h: 3 img_w: 3", "expected either img_size or both img_h and img_w"),
        ("min_size: 9 step_h: 3", "expected either step or both step_h and step_w"),
        ("min_size: 9 step: 0", "step=0, expected more than 0"),
        ("min_size: 9 aspect_ratio: 0", "aspect_ratio=0"),
    ],
)
def test_prior_boxes_that_cannot_be(one_layer, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(prior_text(param), FEATURES, PICTURES)


# ---- DetectionOutput ----

BOXES, CLASSES = 7, 3


def output_text(param):
    bottoms = 'bottom: "a" bottom: "b" bottom: "c"'
    return f'name: "found" type: "DetectionOutput" {bottoms} top: "y" detection_output_param {{ {param} }}'


def decoded(offset, prior, variance, code):
    v = [d * s for d, s in zip(offset, variance, strict=True)]
    w, h = prior[2] - prior[0], prior[3] - prior[1]
    if code == "CORNER":
        return [p + o for p, o in zip(prior, v, strict=True)]
    if code == "CORNER_SIZE":
        return [p + o * s for p, o, s in zip(prior, v, (w, h, w, h), strict=True)]
    x, y = v[0] * w + (prior[0] + prior[2]) / 2, v[1] * h + (prior[1] + prior[3]) / 2
    w, h = math.exp(v[2]) * w, math.exp(v[3]) * h
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) if box[2] >= box[0] and box[3] >= box[1] else 0 for box in (a, b)]
    return w * h / (sum(areas) - w * h)


def detections(
    offsets, scores, priors, *, shared, code, threshold, limit, top_k, keep, eta=1.0, background=0, encoded=False
):
    """Rows as the fork would write them."""
    rows = []
    for item in range(len(offsets)):
        found = []
        for kind in range(CLASSES):
            if kind == background:
                continue
            boxes = []
            for p in range(BOXES):
                start = p * 4 if shared else (p * CLASSES + kind) * 4
                variance = [1] * 4 if encoded else priors[0, 1, p * 4 : p * 4 + 4]
                boxes.append(decoded(offsets[item, start : start + 4], priors[0, 0, p * 4 : p * 4 + 4], variance, code))
            likely = [(scores[item, p * CLASSES + kind], p) for p in range(BOXES)]
            likely = sorted((one for one in likely if one[0] > threshold), key=lambda one: -one[0])[:top_k]
            kept, bar = [], limit
            for score, p in likely:
                if all(overlap(boxes[p], boxes[other]) <= bar for _, other in kept):
                    kept.append((score, p))
                    bar *= eta if bar > 0.5 else 1
            found += [(score, kind, boxes[p]) for score, p in kept]
        if len(found) > keep:
            found = sorted(sorted(found, key=lambda one: -one[0])[:keep], key=lambda one: one[1])
        rows += [[item, kind, score, *box] for score, kind, box in found]
    return np.array(rows, np.float32)


CODES = ("CORNER", "CENTER_SIZE", "CORNER_SIZE")


@pytest.mark.parametrize("seed", range(12))
def test_detections(seed):
    rng = np.random.default_rng(seed)
    shared, code, encoded = bool(seed % 2), CODES[seed % 3], seed % 5 == 0
    background = (0, -1, 2)[seed % 3]
    corners = np.sort(rng.uniform(0, 1, size=(2, BOXES, 2)), axis=0)
    places = np.concatenate([corners[0], corners[1]], axis=1)
    priors = np.stack([places.reshape(-1), np.tile([0.1, 0.1, 0.2, 0.2], BOXES)])[None].astype("f")
    offsets = rng.normal(scale=0.3, size=(2, BOXES * 4 * (1 if shared else CLASSES))).astype("f")
    scores = rng.uniform(size=(2, BOXES * CLASSES)).astype("f")
    eta, limit = (0.8, 0.7) if seed % 4 == 0 else (1.0, 0.3)
    param = (
        f"num_classes: {CLASSES} share_location: {str(shared).lower()} background_label_id: {background} "
        f"code_type: {code} variance_encoded_in_target: {str(encoded).lower()} keep_top_k: 6 "
        f"confidence_threshold: 0.2 nms_param {{ nms_threshold: {limit} top_k: 5 eta: {eta} }}"
    )
    rule = {"threshold": 0.2, "limit": limit, "top_k": 5, "keep": 6, "eta": eta, "encoded": encoded}
    wanted = detections(offsets, scores, priors, shared=shared, code=code, background=background, **rule)
    top = run(param, offsets, scores, priors)
    assert top.shape == (1, 1, len(wanted), 7)
    np.testing.assert_allclose(top[0, 0], wanted, rtol=1e-4, atol=1e-5)


def run(param, *bottoms):
    """The top; how many rows it has is known only now."""
    layer = make(output_text(param), "TEST")
    return layer.forward(*map(torch.from_numpy, bottoms)).numpy()


def test_nothing_found_is_one_row_of_minus_ones_for_each_item():
    priors = np.zeros((1, 2, BOXES * 4), "f")
    bottoms = [np.zeros((2, BOXES * 4), "f"), np.zeros((2, BOXES * CLASSES), "f"), priors]
    top = run(f"num_classes: {CLASSES} confidence_threshold: 0.5", *bottoms)
    np.testing.assert_array_equal(top, [[[[0, *[-1] * 6], [1, *[-1] * 6]]]])


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("", "num_classes is missing"),
        ("num_classes: 3 nms_param { nms_threshold: -1 }", "nms_threshold=-1, expected 0 or more"),
        ("num_classes: 4", "for 7 boxes"),
        ("num_classes: 3 share_location: false", "expected .N, 84., .N, 21."),
    ],
)
def test_detections_that_cannot_be(param, words):
    bottoms = [np.zeros((2, BOXES * 4), "f"), np.zeros((2, BOXES * 3), "f"), np.zeros((1, 2, BOXES * 4), "f")]
    with pytest.raises(NetError, match=words):
        run(param, *bottoms)


def test_what_is_not_obeyed_is_said(caplog):
    make(output_text("num_classes: 3 save_output_param { output_directory: 'out' } visualize: true"), "TEST")
    assert "save_output_param is not obeyed" in caplog.text
    assert "visualize is not obeyed" in caplog.text


def test_nothing_is_said_of_a_picture_that_is_not_to_be_shown(caplog):
    make(output_text("num_classes: 3 visualize: false visualize_threshold: 0.3"), "TEST")
    assert not caplog.records


def test_what_published_detection_nets_say_is_read(caplog):
    """The fork's resize_param, inside save_output_param."""
    text = """num_classes: 3 save_output_param { output_directory: "out" output_format: "VOC" label_map_file: "map"
      resize_param { prob: 1 resize_mode: WARP height: 300 width: 300 pad_mode: CONSTANT pad_value: 104
        interp_mode: LINEAR interp_mode: LANCZOS4 } }"""
    make(output_text(text), "TEST")
    assert len(caplog.records) == 1
