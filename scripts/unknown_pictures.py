"""Draw pictures of nothing that a classifier knows, by kinds: those for choosing a rule, and those that judge it.

Nothing is shared between both groups but the palette of colours. Each function takes a random generator and gives one
picture, uint8 RGB, 96 pixels a side or larger.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, JpegImagePlugin

SIZE = 96
Draw = Callable[[Random], Image.Image]


def write(folder: Path, kinds: dict[str, Draw], each: int, like: Path, seed: int = 1) -> None:
    """Write `each` pictures of every kind, the same for the same seed, twice; those there are kept.

    FOLDER/drawn/KIND/NNNN.png is as drawn. FOLDER/alike/KIND/NNNN.jpg has the size and the compression of the picture
    `like`: what tells these from known pictures is not the format of the file.
    """
    for name, draw in kinds.items():
        drawn, alike = folder / "drawn" / name, folder / "alike" / name
        for one in (drawn, alike):
            one.mkdir(parents=True, exist_ok=True)
        for number in range(each):
            random = Random(f"{seed} {name} {number}")  # noqa: S311  (pictures, not secrets)
            path = alike / f"{number:04d}.jpg"
            if not path.exists():
                picture = draw(random)
                picture.save(drawn / f"{number:04d}.png")
                _save_like(picture, like, path, random)


def _save_like(picture: Image.Image, like: Path, path: Path, random: Random) -> None:
    kernel = random.choice([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX])
    with Image.open(like) as known:
        options = {"qtables": known.quantization, "subsampling": JpegImagePlugin.get_sampling(known)}
        picture.convert("RGB").resize(known.size, kernel).save(path, **options)


def colour(random: Random) -> tuple[int, int, int]:
    """Any colour."""
    return random.randrange(256), random.randrange(256), random.randrange(256)


# ---- for choosing


def shapes(random: Random) -> Image.Image:
    """A few discs, boxes and triangles."""
    picture = Image.new("RGB", (SIZE, SIZE), colour(random))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.randint(1, 6)):
        x, y, r = random.uniform(0, SIZE), random.uniform(0, SIZE), random.uniform(8, 40)
        kind = random.randrange(3)
        if kind == 0:
            pen.ellipse((x - r, y - r * random.uniform(0.4, 1), x + r, y + r), fill=colour(random))
        elif kind == 1:
            pen.rectangle((x - r, y - r * random.uniform(0.3, 1), x + r, y + r), fill=colour(random))
        else:
            pen.polygon([(x, y - r), (x + r, y + r), (x - r, y + r * random.random())], fill=colour(random))
    return picture


def patterns(random: Random) -> Image.Image:
    """Stripes, waves, dots or a chessboard."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    turn, step = random.uniform(0, math.pi), random.uniform(4, 30)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    wave = np.sin(2 * math.pi * along / step)
    other = np.sin(2 * math.pi * across / step)
    share = random.choice([wave > 0, (wave > 0) ^ (other > 0), wave * other > 0.4, (wave + 1) / 2])
    return _between(np.asarray(share, float), random)


def fades(random: Random) -> Image.Image:
    """One colour that becomes another, along a line or from a spot."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    turn = random.uniform(0, 2 * math.pi)
    line = (x - 0.5) * math.cos(turn) + (y - 0.5) * math.sin(turn) + 0.5
    spot = np.hypot(x - random.random(), y - random.random())
    return _between(np.clip(random.choice([line, spot]), 0, 1), random)


def letters(random: Random) -> Image.Image:
    """One large letter or number."""
    picture = Image.new("RGB", (SIZE, SIZE), colour(random))
    pen = ImageDraw.Draw(picture)
    letter = random.choice("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789")
    at = SIZE / 2 + random.uniform(-12, 12), SIZE / 2 + random.uniform(-12, 12)
    pen.text(at, letter, fill=colour(random), font=_font(random, random.randint(40, 90)), anchor="mm")
    return picture.rotate(random.uniform(-25, 25), fillcolor=picture.getpixel((0, 0)))


def codes(random: Random) -> Image.Image:
    """Bars or a grid of black and white fields, as scanners read them."""
    count = random.randint(8, 30)
    rng = np.random.default_rng(random.randrange(2**32))
    fields = rng.random((1 if random.random() < 0.4 else count, count)) < 0.5
    board = Image.fromarray((fields * 255).astype(np.uint8)).resize((76, 76), Image.Resampling.NEAREST)
    picture = Image.new("RGB", (SIZE, SIZE), random.choice([(255, 255, 255), colour(random)]))
    picture.paste(board, (10, 10))
    return picture


def cut_up(random: Random, source: Image.Image) -> Image.Image:
    """A known picture whose sixteen tiles are in another order."""
    whole = source.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    tile = SIZE // 4
    places = [(x * tile, y * tile) for x in range(4) for y in range(4)]
    picture = Image.new("RGB", (SIZE, SIZE))
    for (x, y), to in zip(random.sample(places, 16), places, strict=True):
        picture.paste(whole.crop((x, y, x + tile, y + tile)), to)
    return picture


CHOOSING: dict[str, Draw] = {
    "shapes": shapes,
    "patterns": patterns,
    "fades": fades,
    "letters": letters,
    "codes": codes,
}


# ---- that judge


def diagrams(random: Random) -> Image.Image:
    """Boxes, arrows, curves and formulas, by matplotlib and by the demo's own pen."""
    if random.random() < 0.4:
        from workflow.demo.diagrams import diagram

        return diagram(random, SIZE).finish().convert("RGB")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.6, 1.6), dpi=100, facecolor=random.choice(["white", "white", "#f7f3e8", "#e8eef7"]))
    panel = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    panel.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], frame_on=random.random() < 0.5)
    ink = random.choice(["black", "black", "navy", "darkred", "darkgreen"])
    stations = [(random.uniform(0.12, 0.88), random.uniform(0.12, 0.88)) for _ in range(random.randint(2, 5))]
    for one, other in itertools.pairwise(stations):
        panel.annotate("", other, one, arrowprops={"arrowstyle": "-|>", "color": ink, "lw": random.uniform(0.8, 2)})
    for at in stations:
        box = {"boxstyle": random.choice(["round", "square", "circle"]), "fc": random.choice(_FILLS), "ec": ink}
        panel.text(*at, random.choice(_SYMBOLS), ha="center", va="center", fontsize=random.randint(7, 13), bbox=box)
    if random.random() < 0.6:
        x = np.linspace(0, 1, 50)
        panel.plot(x, 0.5 + 0.4 * np.sin(random.uniform(3, 12) * x), color=ink, lw=1)
    panel.text(random.uniform(0.2, 0.6), random.choice([0.06, 0.9]), random.choice(_FORMULAS), fontsize=9, color=ink)
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=figure.get_facecolor())
    return Image.open(file).convert("RGB")


def noise(random: Random) -> Image.Image:
    """Random pixels: grey or coloured, single or in blocks, uniform, normal or mostly one colour."""
    rng = np.random.default_rng(random.randrange(2**32))
    block, grey = random.choice([1, 1, 2, 3, 6]), random.random() < 0.3
    shape = (-(-32 // block), -(-32 // block), 1 if grey else 3)
    kind = random.randrange(3)
    if kind == 0:
        pixels = rng.uniform(0, 256, shape)
    elif kind == 1:
        pixels = rng.normal(random.uniform(60, 200), random.uniform(20, 80), shape)
    else:
        pixels = np.where(rng.random(shape) < random.uniform(0.05, 0.5), rng.uniform(0, 256, shape), 128)
    whole = np.broadcast_to(pixels.clip(0, 255).astype(np.uint8), (*shape[:2], 3))
    return Image.fromarray(np.ascontiguousarray(whole)).resize((SIZE, SIZE), Image.Resampling.NEAREST)


def landscapes(random: Random) -> Image.Image:
    """Sky, ridges of mountains one behind the other, water or meadows, grain as of a photo."""
    if random.random() < 0.25:
        from workflow.demo.scenes import scene

        return scene(random, SIZE).finish().convert("RGB")
    rng = np.random.default_rng(random.randrange(2**32))
    high, low, ground = random.choice(_SKIES)
    rows = np.linspace(0, 1, SIZE)[:, None]
    pixels = np.repeat(((1 - rows) * high + rows * low)[:, None, :], SIZE, axis=1).astype(float)
    clouds = _rough(rng, SIZE, 1.6)
    pixels += 60 * np.clip(clouds - random.uniform(0.3, 0.9), 0, 1)[..., None]
    columns = np.arange(SIZE)
    count = random.randint(2, 4)
    for ridge in range(count):
        near = (ridge + 1) / count
        line = _rough(rng, SIZE, 1.2 + near / 2)[0] * SIZE * 0.12 + SIZE * (0.3 + 0.4 * near)
        tone = np.asarray(low) * (1 - near) + np.asarray(ground) * near
        inside = np.arange(SIZE)[:, None] > line[columns][None, :]
        relief = 30 * near * _rough(rng, SIZE, 1.0)
        pixels = np.where(inside[..., None], tone + relief[..., None], pixels)
    if random.random() < 0.4:
        water = int(SIZE * random.uniform(0.65, 0.85))
        mirrored = pixels[2 * water - SIZE : water][::-1]
        pixels[water:] = 0.6 * mirrored + 0.4 * np.array([40, 80, 120]) + rng.normal(0, 5, mirrored.shape)
    pixels += rng.normal(0, random.uniform(2, 8), pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5))


def screenshots(random: Random) -> Image.Image:
    """Lines of text, light or dark: a page, a terminal, a program."""
    paper, ink = random.choice(_SCREENS)
    width, height = random.choice([(200, 150), (240, 180), (160, 160), (300, 200)])
    picture = Image.new("RGB", (width, height), paper)
    pen, size = ImageDraw.Draw(picture), random.randint(9, 18)
    font, left = _font(random, size), random.randint(4, 30)
    if random.random() < 0.4:
        pen.rectangle((0, 0, width, size + 6), fill=random.choice([(60, 110, 200), (90, 90, 90), (220, 220, 225)]))
    y = random.randint(4, 20)
    while y < height:
        if random.random() < 0.85:
            line = " ".join(random.choice(_WORDS) for _ in range(random.randint(1, 9)))
            tone = random.choice([ink, ink, ink, colour(random)])
            pen.text((left + random.choice([0, 0, size * 2]), y), line, fill=tone, font=font)
        y += int(size * 1.35)
    return picture


def characters(random: Random) -> Image.Image:
    """A robot, a ghost, a cactus … of the demo, on one of its backgrounds."""
    from workflow.demo.drawing import portrait
    from workflow.demo.others import OTHERS

    return portrait(random, SIZE, random.choice(OTHERS)).finish().convert("RGB")


JUDGING: dict[str, Draw] = {
    "diagrams": diagrams,
    "noise": noise,
    "landscapes": landscapes,
    "text screenshots": screenshots,
    "drawn characters": characters,
}

_FILLS = ("white", "white", "#ffe9b0", "#cfe8ff", "#d8f5d0", "#ffd6d6")
_SYMBOLS = ("$x$", "$f$", "A", "B", "in", "out", r"$\Sigma$", r"$\alpha$", "$W_1$", "softmax", "1", "$h_t$")
_FORMULAS = (
    r"$E = mc^2$", r"$\frac{dy}{dx} = ky$", r"$\sum_i x_i^2$", r"$\int f(x)\,dx$", r"$p(y|x)$", r"$a^2 + b^2 = c^2$",
    r"$\nabla \cdot E = \rho$", r"$y = Wx + b$", r"$\lim_{n \to \infty}$", r"$\sqrt{2}$",
)  # fmt: skip
_SKIES = tuple(
    tuple(np.array(one, float) for one in three)
    for three in (
        ((90, 150, 220), (215, 230, 240), (60, 90, 50)),
        ((60, 110, 190), (170, 200, 220), (90, 80, 60)),
        ((250, 150, 100), (255, 220, 170), (60, 50, 60)),
        ((150, 160, 170), (200, 205, 210), (70, 80, 70)),
        ((30, 40, 80), (120, 100, 130), (25, 30, 35)),
        ((120, 180, 230), (240, 240, 235), (190, 170, 120)),
    )
)
_SCREENS = (
    ((255, 255, 255), (0, 0, 0)), ((255, 255, 255), (50, 50, 50)), ((30, 30, 30), (220, 220, 220)),
    ((0, 0, 0), (80, 230, 80)), ((0, 43, 54), (131, 148, 150)), ((246, 248, 250), (36, 41, 46)),
)  # fmt: skip
_WORDS = (
    "the network is sure of it", "return", "for i in range(n):", "loss = 0.693", "Iteration 1200", "error:", "and",
    "def forward(self, x):", "Hello", "pictures", "$ wf train", "0.9871", "class", "of a", "import numpy", "{", "}",
    "Lorem ipsum dolor sit amet", "settings", "2026-11-30", "Reply", "http://localhost:8000", "if", "TODAY", "ok",
)  # fmt: skip


@cache
def _fonts() -> list[Path]:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral", "DejaVuSansMono-Bold")
    return [folder / f"{name}.ttf" for name in names]


@cache
def _opened(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _font(random: Random, size: int) -> ImageFont.FreeTypeFont:
    return _opened(random.choice(_fonts()), size)


def _between(share: np.ndarray, random: Random) -> Image.Image:
    """From one colour (0) to another (1)."""
    one, other = np.array(colour(random)), np.array(colour(random))
    return Image.fromarray((one + share[..., None] * (other - one)).clip(0, 255).astype(np.uint8))


def _rough(rng: np.random.Generator, size: int, smooth: float) -> np.ndarray:
    """(size, size) random heights of mean 0 and deviation 1, whose spectrum falls as 1 / f ** smooth."""
    y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    power = np.maximum(np.hypot(x, y), 1 / size) ** -smooth
    heights = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * power).real
    return (heights - heights.mean()) / heights.std()
