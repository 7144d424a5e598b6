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
from .model import Model


@dataclass
class Row:
    """One recipe's figures. Accuracies are shares, 0 to 1."""

    recipe: str
    images: int
    top1: float
    top1_low: float  #: 95 % Wilson interval.
    top1_high: float
    difference: float  #: top1 minus that of the first recipe, on the same pictures.
    difference_low: float  #: 95 % interval of the paired difference (normal approximation).
    difference_high: float
    gmacs: float  #: Mean over pictures.
    images_per_second: float  #: In the network, at this batch size.
    tokens: list[float]  #: Mean rows that enter the MLP of each block.


class Table(list[Row]):
    """The rows of an evaluation, the first one the baseline."""

    def to_json(self) -> str:
        """All figures as JSON."""
        return json.dumps([asdict(row) for row in self], indent=2)

    def to_csv(self) -> str:
        """All figures as CSV; tokens are joined by '/'."""
        out = io.StringIO()
        names = list(Row.__dataclass_fields__)
        writer = csv.writer(out)
        writer.writerow(names)
        for row in self:
            values = asdict(row) | {"tokens": "/".join(f"{t:.1f}" for t in row.tokens)}
            writer.writerow([values[name] for name in names])
        return out.getvalue()

    def __str__(self) -> str:
        lines = ["top-1 %   95 % interval   difference       GMACs  images/s  recipe"]
        for row in self:
            lines.append(
                f"{100 * row.top1:7.2f}   {100 * row.top1_low:5.2f} .. {100 * row.top1_high:5.2f}  "
                f"{100 * row.difference:+6.2f} +-{50 * (row.difference_high - row.difference_low):5.2f}"
                f"  {row.gmacs:7.3f}  {row.images_per_second:8.1f}  {row.recipe}"
            )
        return "\n".join(lines)


def evaluate(
    model: Model,
    folder: str | os.PathLike[str],
    recipes: RecipeLike | Iterable[RecipeLike] = "dense",
    *,
    batch: int = 32,
    limit: int | None = None,
    apply_orientation: bool = True,
    progress: bool | None = None,
) -> Table:
    """Runs every recipe over a folder with one folder of pictures a class.

    The classes' folder names must be the model's labels, in any case and with spaces, "_" or "-".
    All recipes see the same pictures; the first is the baseline of the paired differences. `limit`
    takes that many pictures evenly spread over the folder. Pictures are turned as their EXIF
    orientation says; without `apply_orientation` they are read as they are stored, as timm and
    torchvision do it. `progress` shows a bar on standard error (by default, when that is a terminal).
    Raises ValueError when labels do not fit, RuntimeError for a picture that cannot be read.
    """
    if isinstance(recipes, (str, Recipe)):
        recipes = [recipes]
    chosen = [model._recipe(recipe) for recipe in recipes]
    if not chosen:
        raise ValueError("[evaluate] expected one recipe or more, got none")
    if batch < 1:
        raise ValueError(f"[evaluate] batch must be 1 or more, got {batch}")
    samples = _labelled_samples(model, folder)
    if limit is not None:
        if limit < 1:
            raise ValueError(f"[evaluate] limit must be 1 or more, got {limit}")
        step = max(len(samples) / limit, 1.0)
        samples = [samples[int(i * step)] for i in range(min(limit, len(samples)))]
    right = np.zeros((len(chosen), len(samples)), bool)
    macs = np.zeros((len(chosen), len(samples)))
    tokens = np.zeros((len(chosen), model.config["depth"]))
    seconds = np.zeros(len(chosen))
    bar = _Progress(len(samples), sys.stderr.isatty() if progress is None else progress)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        batches = [samples[i : i + batch] for i in range(0, len(samples), batch)]
        ahead = [pool.submit(_decode, model, b, apply_orientation) for b in batches[:2]]
        done = 0
        for index, part in enumerate(batches):
            pixels = ahead.pop(0).result()
            if index + 2 < len(batches):
                ahead.append(pool.submit(_decode, model, batches[index + 2], apply_orientation))
            labels = np.array([label for _, label in part])
            for r, recipe in enumerate(chosen):
                result = model(pixels, recipe=recipe, batch=batch)
                here = slice(done, done + len(part))
                logits = result.logits
                answered = ~np.isnan(logits).any(axis=1)  # NaN says nothing, and argmax takes it
                right[r, here] = answered & (logits.argmax(axis=1) == labels)
                macs[r, here] = result.macs
                tokens[r] += result.tokens_per_layer.sum(axis=0)
                seconds[r] += result.seconds
            done += len(part)
            bar.show(done)
    bar.close()
    return Table(
        _row(str(recipe), right[r], right[0], macs[r], tokens[r], seconds[r])
        for r, recipe in enumerate(chosen)
    )


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


def _wilson(share: float, count: int) -> tuple[float, float]:
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half /= 1 + z * z / count
    return middle - half, middle + half


def _row(
    recipe: str,
    right: np.ndarray,
    baseline: np.ndarray,
    macs: np.ndarray,
    tokens: np.ndarray,
    seconds: float,
) -> Row:
    count = len(right)
    share = float(right.mean())
    low, high = _wilson(share, count)
    differences = right.astype(float) - baseline.astype(float)
    difference = float(differences.mean())
    half = 1.959964 * float(differences.std()) / math.sqrt(count)
    return Row(
        recipe=recipe,
        images=count,
        top1=share,
        top1_low=low,
        top1_high=high,
        difference=difference,
        difference_low=difference - half,
        difference_high=difference + half,
        gmacs=float(macs.mean()) / 1e9,
        images_per_second=count / seconds if seconds > 0 else math.inf,
        tokens=[float(t) / count for t in tokens],
    )


class _Progress:
    """One line on standard error: share done, time left."""

    def __init__(self, total: int, shown: bool) -> None:
        self._total, self._shown, self._started = total, shown, time.monotonic()

    def show(self, done: int) -> None:
        if not self._shown:
            return
        left = (time.monotonic() - self._started) / done * (self._total - done)
        filled = "#" * (30 * done // self._total)
        print(
            f"\r[{filled:<30}] {done}/{self._total}, {left:4.0f} s left",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
