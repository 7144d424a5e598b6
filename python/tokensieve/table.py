"""The figures of an evaluation, as rows, text, CSV, JSON and curves."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
from dataclasses import asdict, dataclass
from typing import Iterable

import numpy as np

from . import _tokensieve as _core

Interval = tuple[float, float]


@dataclass
class Speed:
    """How fast a recipe is at one batch size, with the threads the model was loaded for."""

    batch: int
    samples_per_second: float  #: Of the network: the median of the rounds.
    samples_per_second_quartiles: Interval
    speedup: float  #: Over dense: the median of the rounds' own ratios.
    speedup_quartiles: Interval
    mac_gain: float  #: Dense's MACs over the recipe's, on the timed samples.
    efficiency: float  #: speedup / mac_gain: the share of what the MACs allow.


@dataclass
class Bucket:
    """What a recipe gave and cost on the texts of some lengths."""

    shortest: int  #: Tokens, special ones among them.
    longest: int
    count: int  #: Texts.
    correct: int
    top1: float
    top1_interval: Interval
    gained: int
    lost: int
    difference: float
    difference_interval: Interval
    same_label: float
    macs: float
    macs_share: float


@dataclass
class Row:
    """One recipe's figures, under the names of `tokensieve evaluate --json`. Accuracies are shares, 0 to 1."""

    name: str  #: The recipe as given.
    method: str  #: The same without its density: "evit(fuse)".
    density_key: str  #: "keep", "threshold", "mass", "r", or "tokens" of truncation; "" for dense.
    density: str  #: Its value; several joined by "/".
    recipe: str  #: The long form.
    correct: int
    top1: float
    top1_interval: Interval  #: Wilson's, 95 %.
    gained: int  #: Right where dense is wrong.
    lost: int  #: Wrong where dense is right.
    difference: float  #: top1 minus dense's, on the same samples.
    difference_interval: Interval  #: Paired, 95 % (Agresti and Min 2005).
    same_label: float  #: Share of samples with dense's label.
    macs: float  #: Mean over samples; of texts, for the tokens that they have.
    macs_share: float  #: Of dense's.
    tokens_per_layer: list[float]  #: Mean rows that enter the MLP of each block.
    buckets: list[Bucket]  #: Of texts by length, shortest first.
    speeds: list[Speed]  #: At batches of 1 and 8; empty when not timed.


class Table(list[Row]):
    """The rows of an evaluation, dense first."""

    def __init__(self, rows: Iterable[Row] = (), sample: str = "image") -> None:
        super().__init__(rows)
        self.sample = sample  #: What was evaluated: "image" or "text".

    def to_json(self) -> str:
        """All figures as JSON: a list with an object for each row."""
        return json.dumps([asdict(row) for row in self], indent=2)

    def to_csv(self) -> str:
        """All figures as CSV, in the columns of `tokensieve evaluate --csv`."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for index, row in enumerate(self):
            cells = _csv_cells(row)
            if index == 0:
                writer.writerow(cells)
            writer.writerow(cells.values())
        return out.getvalue()

    def plot(self, path: str | os.PathLike[str] | None = None) -> np.ndarray | None:
        """Draws accuracy over GMACs and, where it was timed, over samples a second.

        One curve for each method, random drop dashed. Writes `path`, an .svg or a .png, or without
        one returns uint8 [height, width, 3]. Raises ValueError for another ending, RuntimeError when
        the package was built without OpenCV.
        """
        if not hasattr(_core, "tradeoff_svg"):
            raise RuntimeError("[plot] this build of tokensieve has no pictures (OpenCV was missing)")
        points = [
            (
                row.method,
                row.recipe.startswith("score=random"),
                (row.top1, *row.top1_interval),
                row.macs,
                [(speed.batch, speed.samples_per_second) for speed in row.speeds],
            )
            for row in self
        ]
        if path is None:
            return _core.tradeoff_picture(points, self.sample)
        target = pathlib.Path(path)
        if target.suffix.lower() == ".svg":
            _core.write_text_file(target, _core.tradeoff_svg(points, self.sample))
        elif target.suffix.lower() == ".png":
            _core.write_png(target, _core.tradeoff_picture(points, self.sample))
        else:
            raise ValueError(f"[plot] expected a path that ends in .svg or .png, got {target}")
        return None

    def __str__(self) -> str:
        if not self:
            return ""
        parts = [
            _accuracy_text(self),
            _length_text(self) if self[0].buckets else "",
            _speed_text(self, self.sample) if self[0].speeds else "",
            _token_text(self),
        ]
        return "\n\n".join(part for part in parts if part)


def _aligned(lines: list[list[str]], words: tuple[int, ...] = (0,)) -> str:
    """Cells in columns that line up: `words` to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = []
    for line in lines:
        cells = [
            cell.ljust(width) if column in words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def _head(row: Row) -> list[str]:
    numbers = row.density.split("/")
    density = "/".join(numbers if len(numbers) < 3 else [numbers[0], "…", numbers[-1]])
    return [row.method, f"{row.density_key}={density}" if row.density_key else density]


def _accuracy_text(rows: list[Row]) -> str:
    lines = [["method", "density", "top-1 %", "95 % interval", "to dense", "95 % interval", "GMACs"]]
    for index, row in enumerate(rows):
        low, high = _percent(row.top1_interval)
        line = [*_head(row), f"{100 * row.top1:.2f}", f"{low:.2f} {high:.2f}"]
        low, high = _percent(row.difference_interval)
        line += [f"{100 * row.difference:+.2f}", f"{low:+.2f} {high:+.2f}"] if index else ["", ""]
        lines.append([*line, f"{row.macs / 1e9:.3f}"])
    return _aligned(lines)


def _length_text(rows: list[Row]) -> str:
    lines = [["method", "density", "tokens", "texts", "top-1 %", "to dense", "95 % interval", "GMACs"]]
    for index, row in enumerate(rows):
        for number, bucket in enumerate(row.buckets):
            line = [*(_head(row) if number == 0 else ["", ""]), f"{bucket.shortest} to {bucket.longest}"]
            line += [str(bucket.count), f"{100 * bucket.top1:.2f}"]
            low, high = _percent(bucket.difference_interval)
            line += [f"{100 * bucket.difference:+.2f}", f"{low:+.2f} {high:+.2f}"] if index else ["", ""]
            lines.append([*line, f"{bucket.macs / 1e9:.3f}"])
    return _aligned(lines)


def _speed_text(rows: list[Row], sample: str) -> str:
    lines = [["method", "density", "MACs"]]
    for speed in rows[0].speeds:
        lines[0] += [f"at batch {speed.batch}", "spread", "speed-up", "of MACs"]
    for index, row in enumerate(rows):
        line = [*_head(row), f"{row.speeds[0].mac_gain:.2f}x" if index else ""]
        for speed in row.speeds:
            low, high = speed.samples_per_second_quartiles
            spread = 50 * (high - low) / speed.samples_per_second
            line += [f"{speed.samples_per_second:.1f}", f"±{spread:.0f} %"]
            line += [f"{speed.speedup:.2f}x", f"{speed.efficiency:.2f}"] if index else ["", ""]
        lines.append(line)
    return f"{sample}s/s\n" + _aligned(lines)


def _token_text(rows: list[Row]) -> str:
    lines = [["method", "density", "tokens in each layer"]]
    for row in rows:
        tokens = " ".join(f"{mean:.1f}".removesuffix(".0") for mean in row.tokens_per_layer)
        lines.append([*_head(row), tokens])
    return _aligned(lines, words=(0, 2))


def _percent(interval: Interval) -> Interval:
    return 100 * interval[0], 100 * interval[1]


def _csv_cells(row: Row) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in asdict(row).items():
        if name == "tokens_per_layer":
            cells[name] = " ".join(f"{tokens:.9g}" for tokens in value)
        elif name.endswith("_interval"):
            base = name.removesuffix("_interval")
            cells[f"{base}_low"], cells[f"{base}_high"] = value
        elif name not in ("buckets", "speeds"):
            cells[name] = value
    for speed in row.speeds:
        for name, value in asdict(speed).items():
            if name.endswith("_quartiles"):
                base = f"batch{speed.batch}_{name.removesuffix('_quartiles')}"
                cells[f"{base}_low"], cells[f"{base}_high"] = value
            elif name != "batch":
                cells[f"batch{speed.batch}_{name}"] = value
    return cells
