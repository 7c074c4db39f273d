"""Ten minutes of the demo set while a program that keeps one core busy comes and goes.

    python -m scripts.governor_run [--model MODEL] [--minutes 10] [--rows FILE] [--out FILE]

Plays as `perform bench busy` does, writes a row a second (tab-separated), and draws what the governor does:
frames and pictures a second, the level, and grey where the other program runs. `--rows` of an earlier
run with `--minutes 0` draws it again. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from perform import children, paths
from perform.bench import running
from perform.bench.busy import BUSY_LOOP
from perform.bench.shows import SHOW_SIZE, WARM_UP_SECONDS, demo_show, play_for
from perform.clock import stopwatch
from perform.outputs.window.help import FONT
from perform.rig import Rig
from perform.stage.governor import LADDER

ROOT = Path(__file__).resolve().parent.parent
# Parts of the whole in which the other program runs: long, short, and twice in a row
BUSY = ((0.1, 0.2), (0.3, 0.333), (0.35, 0.383), (0.5, 0.7), (0.8, 0.825), (0.85, 0.9))
WIDTH, HEIGHT = 1400, 620
LEFT, RIGHT, TOP, MIDDLE, BOTTOM = 90, 30, 50, 400, 570  # of the plots, in pixels
MOST_RATE = 40.0  # of the upper plot, a second
SMOOTH = 3  # rows of which a point of a curve is the mean
PAPER, INK, GREY, BUSY_GREY = (250, 250, 247), (40, 40, 45), (190, 190, 190), (225, 225, 220)
FRAMES, PICTURES, DECISION = (30, 90, 170), (200, 80, 30), (150, 30, 110)


@dataclass(frozen=True, slots=True)
class Row:
    """A second of the run: its end in seconds, frames and pictures in it (pictures only where a scene has a
    generator, else -1), the level at its end, how often it had changed within a scene until then, and whether
    the other program ran."""

    time: float
    frames: float
    pictures: float
    level: int
    decisions: int
    busy: int


def played(model: str, seconds: float) -> Iterator[Row]:
    """Play the demo set, and say what each second had."""
    with closing(demo_show(size=SHOW_SIZE, model=model)) as rig, ExitStack() as program:
        play_for(rig, WARM_UP_SECONDS)
        began, busy = stopwatch(), False
        while (passed := stopwatch() - began) < seconds:
            wanted = any(first <= passed / seconds < last for first, last in BUSY)
            if wanted and not busy:
                program.enter_context(running(children.command(BUSY_LOOP), stdin=subprocess.DEVNULL))
            elif busy and not wanted:
                program.close()
            busy = wanted
            yield _second(rig, began, busy)


def _row(text: Mapping[str, str]) -> Row:
    """A row that was written."""
    time, frames, pictures = (float(text[name]) for name in ("time", "frames", "pictures"))
    return Row(time, frames, pictures, *(int(text[name]) for name in ("level", "decisions", "busy")))


def _second(rig: Rig, began: float, busy: bool) -> Row:
    first, frames, pictures, drawing = stopwatch(), 0, 0, 0.0
    while (passed := stopwatch() - first) < 1:
        made = rig.stage.pictures_made()
        rig.frame()
        frames += 1
        if rig.performance.cues[rig.performance.position.cue].cue.scene.models:
            drawing += stopwatch() - first - passed
            pictures += rig.stage.pictures_made() - made
    rate = pictures / drawing if drawing > 0.5 else -1.0
    level = LADDER.index(rig.balance.level) + 1 if rig.balance else 1
    decisions = rig.balance.decisions if rig.balance else 0
    return Row(stopwatch() - began, frames / passed, rate, level, decisions, int(busy))


def drawn(rows: Sequence[Row], model: str) -> Image.Image:
    """The picture of a run."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.truetype(paths.shipped() / FONT, 15)
    last = rows[-1].time
    seconds = [*zip((0.0, *(row.time for row in rows)), rows, strict=False)]  # each from its beginning

    def across(time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time / last

    def rate(value: float) -> float:
        return MIDDLE - (MIDDLE - TOP - 30) * min(value, MOST_RATE) / MOST_RATE

    def step(level: float) -> float:
        return MIDDLE + 40 + (BOTTOM - MIDDLE - 40) * (level - 1) / (len(LADDER) - 1)

    for start, row in seconds:
        if row.busy:
            draw.rectangle((across(start), TOP, across(row.time), BOTTOM), BUSY_GREY)
    for value in range(0, int(MOST_RATE) + 1, 10):
        draw.line((LEFT, rate(value), WIDTH - RIGHT, rate(value)), GREY if value else INK)
        draw.text((LEFT - 12, rate(value)), str(value), INK, font, anchor="rm")
    for level in range(1, len(LADDER) + 1):
        draw.line((LEFT, step(level), WIDTH - RIGHT, step(level)), GREY)
        words = f"{LADDER[level - 1].fps:g}/s {LADDER[level - 1].scale:.0%}"
        draw.text((LEFT - 12, step(level)), words, INK, font, anchor="rm")
    for minute in range(int(last / 60) + 1):
        draw.text((across(60 * minute), BOTTOM + 14), f"{minute} min", INK, font, anchor="mt")
    _curve(draw, [(across(r.time), rate(v)) for r, v in _smooth(rows, "frames")], FRAMES)
    for part in _unbroken(_smooth(rows, "pictures")):
        _curve(draw, [(across(row.time), rate(value)) for row, value in part], PICTURES)
    steps = [(across(time), step(row.level)) for start, row in seconds for time in (start, row.time)]
    _curve(draw, steps, INK)
    for earlier, row in pairwise(rows):
        if row.decisions > earlier.decisions:
            x, y = across(row.time), step(row.level)
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), DECISION)
    title = f"demo set, {model}, 1280x720; grey: another program keeps one core busy"
    draw.text((LEFT, 16), title, INK, font)
    draw.text((LEFT + 10, TOP + 4), "frames/s", FRAMES, font)
    draw.text((LEFT + 110, TOP + 4), "pictures/s", PICTURES, font)
    draw.text(
        (LEFT + 10, MIDDLE + 12),
        "level: frames/s and size of the scenes; dot: changed within a scene",
        INK,
        font,
    )
    return picture


def _smooth(rows: Sequence[Row], name: str) -> list[tuple[Row, float]]:
    """Each row with the mean of the rows about it; -1 where it has no value."""
    values = [getattr(row, name) for row in rows]
    means = []
    for at, row in enumerate(rows):
        near = [v for v in values[max(at - SMOOTH // 2, 0) : at + SMOOTH // 2 + 1] if v >= 0]
        means.append((row, sum(near) / len(near) if values[at] >= 0 else -1.0))
    return means


def _unbroken(points: Sequence[tuple[Row, float]]) -> Iterator[list[tuple[Row, float]]]:
    part: list[tuple[Row, float]] = []
    for point in (*points, (points[-1][0], -1.0)):
        if point[1] >= 0:
            part.append(point)
        elif part:
            yield part
            part = []


def _curve(
    draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    draw.line(points, colour, 3, joint="curve")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="flora")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rows", type=Path, default=Path("output/governor.tsv"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "governor.png")
    given = parser.parse_args()
    if given.minutes:
        given.rows.parent.mkdir(parents=True, exist_ok=True)
        with given.rows.open("w", newline="") as file:
            table = csv.writer(file, delimiter="\t")
            table.writerow(field.name for field in fields(Row))
            for row in played(given.model, 60 * given.minutes):
                table.writerow(astuple(row))
    with given.rows.open(newline="") as file:
        rows = [_row(one) for one in csv.DictReader(file, delimiter="\t")]
    drawn(rows, given.model).save(given.out, optimize=True)


if __name__ == "__main__":
    main()
