"""The report of a dataset: an HTML page with everything inside it."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Doubles
from perform.training.dataset import Dataset
from perform.training.dataset.manifest import Counts
from perform.training.dataset.outcomes import HANDLED, REASONS
from perform.training.dataset.styling import REPORT_STYLE, REPORT_TEMPLATE
from perform.training.dataset.survey import NearPair, Survey, survey

if TYPE_CHECKING:
    from PIL import Image

SHEET_WIDTH, PICTURE_GAP = 1440, 4  # pixels: the sheet's width, the black between pictures
# attributes, not style sheets, which some viewers do not apply within a drawing
LABEL = 'stroke="none" fill="#8b8b93" font-size="11"'
FRAME = 'fill="#e8a87c" fill-opacity=".11" stroke="#e8a87c"'
SQUARE = 'stroke="#33333a" stroke-dasharray="3 5"'
POINTS = 800  # on the chart of sizes


def report_page(pictures: Dataset) -> str:
    """The page's HTML, without scripts and without external files."""
    found = survey(pictures)
    made = pictures.manifest
    counts = made.counts if made else Counts(len(pictures), len(pictures))
    parts = {
        "style": REPORT_STYLE,
        "title": escape(pictures.path.resolve().name),
        "subtitle": escape(_subtitle(pictures)),
        "figures": "".join(_figures(pictures, counts)),
        "sheet": _embedded(contact_sheet(found.sheet), 82),
        "shown": f"{math.prod(_sheet_grid(found.sheet))} of {len(pictures):,}, evenly spread",
        "fate": _outcome_table(counts, found),
        "handled": _handled(counts),
        "sizes": _sizes(found, pictures.size),
        "mean": _embedded(found.mean, 90),
        "colour": _css(found.colour),
        "palette": "".join(_swatches(found)),
        "luminance": _luminance(found),
        "looked_at": f"{found.surveyed:,}",
        "pairs": _pairs(found.pairs),
        "recipe": "".join(_recipe(pictures)),
        "digest": pictures.digest,
    }
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], REPORT_TEMPLATE)


def contact_sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size in full rows on black."""
    from PIL import Image

    aspect = pictures[0].width / pictures[0].height
    columns, rows = _sheet_grid(pictures)
    width = min((SHEET_WIDTH - PICTURE_GAP * (columns - 1)) // columns, 240)
    height = max(round(width / aspect), 1)
    whole = Image.new(
        "RGB", (columns * (width + PICTURE_GAP) - PICTURE_GAP, rows * (height + PICTURE_GAP) - PICTURE_GAP)
    )
    for number, one in enumerate(pictures[: rows * columns]):
        place = number % columns * (width + PICTURE_GAP), number // columns * (height + PICTURE_GAP)
        whole.paste(one.resize((width, height), Image.Resampling.LANCZOS), place)
    return whole


def _sheet_grid(pictures: Sequence[Image.Image]) -> tuple[int, int]:
    """Columns and full rows."""
    aspect = pictures[0].width / pictures[0].height
    columns = min(len(pictures), max(round(12 / max(aspect, 0.5) ** 0.5), 4))
    return columns, len(pictures) // columns


def _subtitle(pictures: Dataset) -> str:
    if pictures.manifest is None:
        return "a plain folder of pictures"
    recipe = pictures.manifest.recipe
    if recipe.get("source") in ("pictures", "film"):
        return f"from {'the film' if recipe['source'] == 'film' else 'the folder'} {recipe.get('from')}"
    return f"drawn by {recipe.get('source')}, seed {recipe.get('seed')}"


def _figures(pictures: Dataset, counts: Counts) -> Iterator[str]:
    made = pictures.manifest
    yield _figure(f"{counts.kept:,}", "pictures" + (", and as many mirrored" if pictures.mirror else ""))
    yield _figure("×".join(map(str, pictures.size)), "pixels")
    if made:
        yield _figure(f"{counts.seen:,}", "looked at")
        yield _figure(f"{counts.seen - counts.kept:,}", "dropped")
        weight = sum(shard.bytes for shard in made.shards) / 2**20
        shards = f"{len(made.shards):,} shard{'s' * (len(made.shards) != 1)}"
        yield _figure(f"{weight:,.1f}", f"MiB of {made.recipe.get('format')} in {shards}")


def _figure(number: str, what: str) -> str:
    return f"<div><b>{escape(number)}</b><span>{escape(what)}</span></div>"


def _outcome_table(counts: Counts, found: Survey) -> str:
    """The outcomes: a bar, and a table with examples."""
    whole = max(counts.seen, 1)
    bars = f'<i class="kept" style="flex:{counts.kept}"></i>'
    rows = _table_row("kept", "in the dataset", counts.kept, whole, [])
    for place, (reason, count) in enumerate(counts.dropped.items()):
        shade = f"opacity:{max(0.9 - 0.12 * place, 0.25):.2f}"
        bars += f'<i style="flex:{count};{shade}"></i>'
        rows += _table_row(reason, REASONS.get(reason, ""), count, whole, found.examples.get(reason, []))
    rest = counts.rest
    left = "" if rest == 0 else f"<p>{'More was' if rest is None else f'{rest:,} more were'} not looked at:" \
        " the limit was reached.</p>"  # fmt: skip
    return f'<div class="bar">{bars}</div><table>{rows}</table>{left}'


def _table_row(reason: str, meaning: str, count: int, whole: int, examples: Sequence[str]) -> str:
    names = "".join(f"<li>{escape(name)}</li>" for name in examples)
    more = f"<li>and {count - len(examples):,} more</li>" if names and count > len(examples) else ""
    listed = f"<ul>{names}{more}</ul>" if names else ""
    share = f"{100 * count / whole:.1f} %"
    return (
        f"<tr><th>{escape(reason)}</th><td class=n>{count:,}</td><td class=n>{share}</td>"
        f"<td><span>{escape(meaning)}</span>{listed}</td></tr>"
    )


def _handled(counts: Counts) -> str:
    rows = (
        f"<tr><td class=n>{count:,}</td><td>{escape(HANDLED.get(what, what))}</td></tr>"
        for what, count in sorted(counts.handled.items(), key=lambda pair: -pair[1])
    )
    return f"<table>{''.join(rows)}</table>" if counts.handled else "<p>Nothing needed anything.</p>"


def _sizes(found: Survey, size: tuple[int, int]) -> str:
    """Widths and heights before: a sentence, and a chart with logarithmic axes when they differ."""
    known = found.sizes[(found.sizes > 0).all(1)]
    if not len(known):
        return "<p>Nothing is known of them.</p>"
    if (known == known[0]).all():
        return f"<p>All are {known[0, 0]:.0f}×{known[0, 1]:.0f}.</p>"
    aspects = np.sort(known[:, 0] / known[:, 1])
    upright, wide = aspects < 0.95, aspects > 1.05
    shares = {"upright": upright, "square": ~upright & ~wide, "wide": wide}
    words = [f"{100 * share.mean():.0f} % {name}" for name, share in shares.items()]
    middle = known[np.argsort(known.prod(1), kind="stable")[len(known) // 2]]
    return (
        f"{_chart(known, size)}<p>{', '.join(words)}; aspect {aspects[0]:.2f} to {aspects[-1]:.2f},"
        f" median {np.median(aspects):.2f}. Half are {middle[0]:.0f}×{middle[1]:.0f} or smaller.</p>"
    )


def _chart(known: Doubles, size: tuple[int, int]) -> str:
    low = math.log2(min(known.min(), *size)) - 0.3
    high = math.log2(max(known.max(), *size)) + 0.3

    def at(value: float) -> float:
        return 8 + 384 * (math.log2(value) - low) / (high - low)

    marks = [2**n for n in range(math.ceil(low), int(high) + 1)]
    lines = "".join(
        f'<path d="M{at(n):.1f} 0V400M0 {400 - at(n):.1f}H400"/>'
        f'<text x="{at(n) + 4:.1f}" y="396" {LABEL}>{n}</text>'
        for n in marks
    )
    few = known[:: -(-len(known) // POINTS)]
    dots = "".join(f'<circle cx="{at(w):.1f}" cy="{400 - at(h):.1f}" r="3.5"/>' for w, h in few)
    wide, tall = at(size[0]), at(size[1])
    frame = f'<path d="M0 {400 - tall:.1f}h{wide:.1f}V400H0Z" {FRAME}/>'
    return (
        f'<svg viewBox="0 0 400 400" class="sizes" role="img" aria-label="widths and heights">'
        f'<g stroke="#1d1d21">{lines}</g>{frame}<path d="M0 400L400 0" {SQUARE}/>'
        f'<g fill="#e8e6e1" fill-opacity=".45">{dots}</g></svg>'
    )


def _luminance(found: Survey) -> str:
    top = float(found.luminance.max()) or 1.0
    points = " ".join(
        f"{n * 400 / 63:.1f},{100 - 96 * share / top:.1f}" for n, share in enumerate(found.luminance.tolist())
    )
    return (
        '<svg viewBox="0 0 400 100" preserveAspectRatio="none" class="luminance" role="img"'
        f' aria-label="luminance"><polygon fill="#cfcdc8" points="0,100 {points} 400,100"/></svg>'
    )


def _swatches(found: Survey) -> Iterator[str]:
    for colour, share in found.palette:
        name = _css(colour)
        yield f'<i style="flex:{share + 0.04:.3f};background:{name}" title="{name}, {100 * share:.0f} %"></i>'


def _pairs(pairs: Sequence[NearPair]) -> str:
    if not pairs:
        return "<p>No two are near to each other, or no hashes are stored with them.</p>"
    return f'<div class="pairs">{"".join(map(_pair_figure, pairs))}</div>'


def _pair_figure(pair: NearPair) -> str:
    pictures = "".join(f'<img src="{_embedded(one, 85)}" alt="">' for one in pair.pictures)
    names = "<br>".join(map(escape, pair.names))
    differ = "bit of 64 differs" if pair.distance == 1 else "bits of 64 differ"
    caption = f"<b>{pair.distance}</b> {differ}<br>{names}"
    return f"<figure>{pictures}<figcaption>{caption}</figcaption></figure>"


def _recipe(pictures: Dataset) -> Iterator[str]:
    for name, value in (pictures.manifest.recipe if pictures.manifest else {}).items():
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _embedded(image: Image.Image, quality: int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
