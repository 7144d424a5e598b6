"""Accuracy, MACs and speed of recipes over a folder of labelled pictures."""

from __future__ import annotations

import concurrent.futures
import csv
import io
import json
import math
import os
import pathlib
import sys
import time
from dataclasses import asdict, dataclass
from typing import Iterable

import numpy as np

from . import _tokensieve as _core
from ._loaded import RecipeLike
from ._tokensieve import Recipe
from .model import Model, Result

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_SPEED_BATCHES = (1, 8)
_SPEED_PICTURES = 16

Interval = tuple[float, float]


@dataclass
class Speed:
    """How fast a recipe is at one batch size, with the threads the model was loaded for."""

    batch: int
    images_per_second: float  #: Of the network: the median of the rounds.
    images_per_second_quartiles: Interval
    speedup: float  #: Over dense: the median of the rounds' own ratios.
    speedup_quartiles: Interval
    mac_gain: float  #: Dense's MACs over the recipe's, on the timed pictures.
    efficiency: float  #: speedup / mac_gain: the share of what the MACs allow.


@dataclass
class Row:
    """One recipe's figures, under the names of `tokensieve evaluate --json`. Accuracies are shares, 0 to 1."""

    name: str  #: The recipe as given.
    method: str  #: The same without its density: "evit(fuse)".
    density_key: str  #: "keep", "threshold", "mass" or "r"; "" for dense.
    density: str  #: Its value; several joined by "/".
    recipe: str  #: The long form.
    correct: int
    top1: float
    top1_interval: Interval  #: Wilson's, 95 %.
    gained: int  #: Right where dense is wrong.
    lost: int  #: Wrong where dense is right.
    difference: float  #: top1 minus dense's, on the same pictures.
    difference_interval: Interval  #: Paired, 95 % (Agresti and Min 2005).
    same_label: float  #: Share of pictures with dense's label.
    macs: float  #: Mean over pictures.
    macs_share: float  #: Of dense's.
    tokens_per_layer: list[float]  #: Mean rows that enter the MLP of each block.
    speeds: list[Speed]  #: At batches of 1 and 8; empty when not timed.


class Table(list[Row]):
    """The rows of an evaluation, dense first."""

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
        """Draws accuracy over GMACs and, where it was timed, over images a second.

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
                [(speed.batch, speed.images_per_second) for speed in row.speeds],
            )
            for row in self
        ]
        if path is None:
            return _core.tradeoff_picture(points)
        target = pathlib.Path(path)
        if target.suffix == ".svg":
            target.write_text(_core.tradeoff_svg(points), encoding="utf-8")
        elif target.suffix == ".png":
            _core.write_png(target, _core.tradeoff_picture(points))
        else:
            raise ValueError(f"[plot] expected a path that ends in .svg or .png, got {target}")
        return None

    def __str__(self) -> str:
        if not self:
            return ""
        parts = [_accuracy_text(self), _speed_text(self) if self[0].speeds else "", _token_text(self)]
        return "\n\n".join(part for part in parts if part)


def evaluate(
    model: Model,
    folder: str | os.PathLike[str],
    recipes: RecipeLike | Iterable[RecipeLike] | None = None,
    *,
    baseline: Model | None = None,
    batch: int = 32,
    rounds: int = 9,
    limit: int | None = None,
    apply_orientation: bool = True,
    progress: bool | None = None,
) -> Table:
    """Runs dense and every recipe over a folder with one folder of pictures a class.

    Without `recipes` that is the model's own. The classes' folder names must be the model's labels, in any case and with spaces, "_" or "-".
    With a `baseline`, dense is that model's, the model's own network with all tokens comes second, and
    both must have the same labels and preprocessing. All recipes see the same pictures. `limit` takes that many of them evenly spread over the folder.
    Speed is timed at the end, on 16 of the pictures at batches of 1 and 8: after a round to warm up
    the recipes take turns call by call for `rounds` rounds; 0 leaves it out. Pictures are turned as
    their EXIF orientation says; without `apply_orientation` they are read as they are stored, as timm
    and torchvision do it. `progress` shows a bar on standard error (by default, when that is a
    terminal). Raises ValueError when labels do not fit, RuntimeError for a picture that cannot be read.
    """
    if recipes is None:
        recipes = model.recipe
    if isinstance(recipes, (str, Recipe)):
        recipes = [recipes]
    named = [(str(recipe), model._recipe(recipe)) for recipe in recipes]
    if not named:
        raise ValueError("[evaluate] expected one recipe or more, got none")
    contenders = [_Contender(baseline or model, "dense", Recipe("dense"))]
    if baseline is not None:
        _check_baseline(model, baseline)
        contenders.append(_Contender(model, "all tokens", Recipe("dense")))
    contenders += [_Contender(model, name, recipe) for name, recipe in named if not recipe.is_dense]
    if batch < 1:
        raise ValueError(f"[evaluate] batch must be 1 or more, got {batch}")
    if rounds < 0:
        raise ValueError(f"[evaluate] rounds must be 0 or more, got {rounds}")
    samples = _labelled_samples(model, folder)
    if limit is not None:
        if limit < 1:
            raise ValueError(f"[evaluate] limit must be 1 or more, got {limit}")
        samples = _spread(samples, limit)
    shown = sys.stderr.isatty() if progress is None else progress
    answers = [_Answers(contender.model.config["depth"]) for contender in contenders]
    labels = np.array([label for _, label in samples])
    bar = _Progress("evaluate", len(samples), shown)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        batches = [samples[i : i + batch] for i in range(0, len(samples), batch)]
        ahead = [pool.submit(_decode, model, b, apply_orientation) for b in batches[:2]]
        done = 0
        for index, part in enumerate(batches):
            pixels = ahead.pop(0).result()
            if index + 2 < len(batches):
                ahead.append(pool.submit(_decode, model, batches[index + 2], apply_orientation))
            for answer, contender in zip(answers, contenders):
                answer.add(contender.model(pixels, recipe=contender.recipe, batch=batch))
            done += len(part)
            bar.show(done)
    bar.close()
    speeds: list[list[Speed]] = [[] for _ in contenders]
    if rounds:
        timed = _decode(model, _spread(samples, _SPEED_PICTURES), apply_orientation)
        speeds = _measure_speed(timed, contenders, rounds, shown)
    return Table(
        _row(contender, answer, answers[0], labels, speed)
        for contender, answer, speed in zip(contenders, answers, speeds)
    )


@dataclass
class _Contender:
    model: Model
    name: str
    recipe: Recipe


def _check_baseline(model: Model, baseline: Model) -> None:
    if baseline.labels != model.labels or baseline.config["num_classes"] != model.config["num_classes"]:
        raise ValueError("[evaluate] expected a baseline with the model's labels")
    if baseline.preprocessing != model.preprocessing:
        raise ValueError("[evaluate] expected a baseline that preprocesses pictures as the model does")


class _Answers:
    """What one recipe said of all pictures, and at what cost."""

    def __init__(self, depth: int) -> None:
        self.labels: list[int] = []  # -1, which is nobody's label, where a logit is NaN
        self.macs = 0.0
        self.tokens = np.zeros(depth)

    def add(self, result: Result) -> None:
        logits = result.logits
        nan = np.isnan(logits).any(axis=1)
        self.labels += np.where(nan, -1, logits.argmax(axis=1)).tolist()
        self.macs += float(result.macs.sum())
        self.tokens += result.tokens_per_layer.sum(axis=0)


def _spread(samples: list, count: int) -> list:
    count = min(count, len(samples))
    return [samples[i * len(samples) // count] for i in range(count)]


def _measure_speed(
    pixels: list[np.ndarray], contenders: list[_Contender], rounds: int, shown: bool
) -> list[list[Speed]]:
    """The speeds of each contender. Every call stands beside the same call of all others, in changing order."""
    pixels = [pixels[i % len(pixels)] for i in range(_SPEED_PICTURES)]
    speeds: list[list[Speed]] = [[] for _ in contenders]
    bar = _Progress("speed", len(_SPEED_BATCHES) * (rounds + 1), shown)
    for step, batch in enumerate(_SPEED_BATCHES):
        parts = [pixels[i : i + batch] for i in range(0, len(pixels), batch)]
        seconds = np.zeros((len(contenders), rounds + 1))  # the first round warms up
        macs = np.zeros(len(contenders))
        for turn in range(rounds + 1):
            for p, part in enumerate(parts):
                for i in range(len(contenders)):
                    r = (i + turn + p) % len(contenders)
                    result = contenders[r].model(part, recipe=contenders[r].recipe, batch=batch)
                    seconds[r, turn] += result.seconds
                    macs[r] += result.macs.sum()
            bar.show(step * (rounds + 1) + turn + 1)
        for r in range(len(contenders)):
            rates = len(pixels) / seconds[r, 1:]
            ratios = seconds[0, 1:] / seconds[r, 1:]
            gain = float(macs[0] / macs[r])
            speedup = float(np.median(ratios))
            speeds[r].append(
                Speed(
                    batch=batch,
                    images_per_second=float(np.median(rates)),
                    images_per_second_quartiles=_quartiles(rates),
                    speedup=speedup,
                    speedup_quartiles=_quartiles(ratios),
                    mac_gain=gain,
                    efficiency=speedup / gain,
                )
            )
    bar.close()
    return speeds


def _labelled_samples(
    model: Model, folder: str | os.PathLike[str]
) -> list[tuple[pathlib.Path, int]]:
    classes, samples = _core.open_image_folder(pathlib.Path(folder))
    labels = model.labels or classes
    known = {_plain(label): i for i, label in enumerate(labels)}
    unknown = [name for name in classes if _plain(name) not in known]
    if unknown:
        hint = _core.did_you_mean(unknown[0], labels)
        raise ValueError(f"[evaluate] the model has no label '{unknown[0]}'{hint}")
    index = [known[_plain(name)] for name in classes]
    return [(path, index[label]) for path, label in samples]


def _plain(name: str) -> str:
    # folders cannot always be named as labels are: "golf_ball" is "golf ball"
    return name.replace("_", " ").replace("-", " ").lower()


def _decode(
    model: Model, part: list[tuple[pathlib.Path, int]], apply_orientation: bool
) -> list[np.ndarray]:
    return [model.preprocess(_core.read_image(path, apply_orientation)) for path, _ in part]


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
    is_keep = row.density_key in ("", "keep")
    return [row.method, row.density if is_keep else f"{row.density_key}={row.density}"]


def _accuracy_text(rows: list[Row]) -> str:
    lines = [["method", "keep", "top-1 %", "95 % interval", "to dense", "95 % interval", "GMACs"]]
    for index, row in enumerate(rows):
        low, high = _percent(row.top1_interval)
        line = [*_head(row), f"{100 * row.top1:.2f}", f"{low:.2f} {high:.2f}"]
        low, high = _percent(row.difference_interval)
        line += [f"{100 * row.difference:+.2f}", f"{low:+.2f} {high:+.2f}"] if index else ["", ""]
        lines.append([*line, f"{row.macs / 1e9:.3f}"])
    return _aligned(lines)


def _speed_text(rows: list[Row]) -> str:
    lines = [["method", "keep", "MACs"]]
    for speed in rows[0].speeds:
        lines[0] += [f"at batch {speed.batch}", "spread", "speed-up", "of MACs"]
    for index, row in enumerate(rows):
        line = [*_head(row), f"{row.speeds[0].mac_gain:.2f}x" if index else ""]
        for speed in row.speeds:
            low, high = speed.images_per_second_quartiles
            spread = 50 * (high - low) / speed.images_per_second
            line += [f"{speed.images_per_second:.1f}", f"±{spread:.0f} %"]
            line += [f"{speed.speedup:.2f}x", f"{speed.efficiency:.2f}"] if index else ["", ""]
        lines.append(line)
    return "images/s\n" + _aligned(lines)


def _token_text(rows: list[Row]) -> str:
    lines = [["method", "keep", "tokens in each layer"]]
    for row in rows:
        tokens = " ".join(f"{mean:.1f}".removesuffix(".0") for mean in row.tokens_per_layer)
        lines.append([*_head(row), tokens])
    return _aligned(lines, words=(0, 2))


def _percent(interval: Interval) -> Interval:
    return 100 * interval[0], 100 * interval[1]


def _quartiles(values: np.ndarray) -> Interval:
    return float(np.quantile(values, 0.25)), float(np.quantile(values, 0.75))


def _wilson(right: int, count: int) -> Interval:
    share, scale = right / count, 1 / (1 + _Z * _Z / count)
    middle = scale * (share + _Z * _Z / (2 * count))
    half = scale * _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def _paired(gained: int, lost: int, count: int) -> Interval:
    # half a sample in each of the four cells: holds its level for few discordant samples, too
    b, c, n = gained + 0.5, lost + 0.5, count + 2
    half = _Z * math.sqrt(max(0.0, b + c - (b - c) ** 2 / n)) / n
    return max(-1.0, (b - c) / n - half), min(1.0, (b - c) / n + half)


def _row(
    contender: _Contender,
    answers: _Answers,
    dense: _Answers,
    labels: np.ndarray,
    speeds: list[Speed],
) -> Row:
    count = len(labels)
    name, recipe = contender.name, contender.recipe
    said, said_dense = np.array(answers.labels), np.array(dense.labels)
    right, right_dense = said == labels, said_dense == labels
    correct = int(right.sum())
    gained, lost = int((right & ~right_dense).sum()), int((~right & right_dense).sum())
    return Row(
        name=name,
        method=name if recipe.is_dense else _core.method_name(name),
        density_key=recipe.density_key,
        density=recipe.density,
        recipe=str(recipe),
        correct=correct,
        top1=correct / count,
        top1_interval=_wilson(correct, count),
        gained=gained,
        lost=lost,
        difference=(gained - lost) / count,
        difference_interval=(0.0, 0.0) if answers is dense else _paired(gained, lost, count),
        same_label=float((said == said_dense).mean()),
        macs=answers.macs / count,
        macs_share=answers.macs / dense.macs,
        tokens_per_layer=[float(t) / count for t in answers.tokens],
        speeds=speeds,
    )


def _csv_cells(row: Row) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in asdict(row).items():
        if name == "tokens_per_layer":
            cells[name] = " ".join(f"{tokens:.9g}" for tokens in value)
        elif name.endswith("_interval"):
            base = name.removesuffix("_interval")
            cells[f"{base}_low"], cells[f"{base}_high"] = value
        elif name != "speeds":
            cells[name] = value
    for speed in row.speeds:
        for name, value in asdict(speed).items():
            if name.endswith("_quartiles"):
                base = f"batch{speed.batch}_{name.removesuffix('_quartiles')}"
                cells[f"{base}_low"], cells[f"{base}_high"] = value
            elif name != "batch":
                cells[f"batch{speed.batch}_{name}"] = value
    return cells


class _Progress:
    """One line on standard error: share done, time left."""

    def __init__(self, what: str, total: int, shown: bool) -> None:
        self._what, self._total, self._shown = what, total, shown
        self._started = time.monotonic()

    def show(self, done: int) -> None:
        if not self._shown:
            return
        left = (time.monotonic() - self._started) / done * (self._total - done)
        filled = "#" * (30 * done // self._total)
        print(
            f"\r{self._what} [{filled:<30}] {done}/{self._total}, {left:4.0f} s left",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
