"""What each density of a recipe costs and gives, kept in the model folder for calls that name a budget."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Sequence

import numpy as np

from . import _tokensieve as _core
from ._loaded import RecipeLike
from ._progress import Progress
from ._samples import Samples, open_samples, spread
from ._tokensieve import Recipe
from .evaluate import Contender, run_contenders
from .model import Model
from .text import TextModel

_TIMED_SAMPLES = 16


def calibrate(
    model: Model | TextModel,
    data: str | os.PathLike[str],
    recipe: RecipeLike | None = None,
    densities: Sequence[float] | None = None,
    *,
    batch: int = 32,
    repeat: int = 64,
    limit: int | None = None,
    apply_orientation: bool = True,
    max_length: int | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Measures a recipe at each density on a folder or a list of pictures, or a file of texts.

    It is `tokensieve calibrate`. Labels are not needed; where every sample has one, accuracy is measured,
    too. Without `recipe` it is the model's, without `densities` 0.9, 0.8, ... 0.2, for keep and mass. The
    result goes into the folder's sieve.json, in place of the recipe's last one, and `model` has it at
    once: then `model(..., agree=0.99)`, `macs=` or `latency_ms=` choose the density. `repeat` calls with one
    sample time dense and each step, which take turns; 0 leaves it out. Returns the calibration as sieve.json
    has it. Raises ValueError for a recipe without a density or densities that it cannot have,
    RuntimeError for data that cannot be read, or a folder that cannot be written.
    """
    chosen = model._recipe(recipe)
    name = str(recipe) if recipe is not None else str(chosen)
    key = chosen.density_key
    if chosen.is_dense:
        raise ValueError("[calibrate] expected a recipe with a density, got dense")
    if densities is None:
        if key not in ("keep", "mass"):
            raise ValueError(f"[calibrate] expected densities, numbers for {key}, got none")
        densities = [round(0.9 - 0.1 * i, 1) for i in range(8)]
    if isinstance(densities, (int, float)):
        densities = [densities]
    if len(densities) == 0:
        raise ValueError("[calibrate] expected one density or more, got none")
    if batch < 1 or repeat < 0:
        raise ValueError(f"[calibrate] expected batch >= 1 and repeat >= 0, got {batch} and {repeat}")
    if not os.access(model._place, os.W_OK):
        raise RuntimeError(f"[calibrate] cannot write to {model._place}")
    shown = sys.stderr.isatty() if progress is None else progress
    samples = open_samples(model, data, apply_orientation, max_length, "calibrate", labelled=False)
    recipes = [Recipe("dense"), *(chosen.with_density(key, density) for density in densities)]
    contenders = [Contender(model, str(r), r, samples) for r in recipes]
    indices = spread(len(samples), limit, "calibrate")
    answers = run_contenders(contenders, indices, batch, "calibrate", shown)
    labels = samples.labels[indices]
    said = [np.array(answer.labels) for answer in answers]
    correct = [int((s == labels).sum()) if (labels >= 0).all() else None for s in said]
    agreed = [int(((s == said[0]) & (said[0] >= 0)).sum()) for s in said]
    macs = [float(np.mean(np.array(answer.macs, float))) for answer in answers]
    order = sorted(range(1, len(recipes)), key=lambda i: -macs[i])
    milliseconds = []
    if repeat:
        timed = _measure_latency(samples, [contenders[i] for i in [0, *order]], repeat, shown)
        quantiles = np.quantile(timed, [0.5, 0.1, 0.9], axis=1).T
        milliseconds = [(float(m), float(low), float(high)) for m, low, high in quantiles]
    steps = [(float(densities[i - 1]), macs[i], agreed[i], correct[i]) for i in order]
    dense = (macs[0], correct[0])
    text = _core.save_calibration(
        model._place, name, len(indices), dense, steps, model.machine, milliseconds
    )
    model._core = _core.load(model._place, *model._options)
    return json.loads(text)


def _measure_latency(
    samples: Samples, contenders: list[Contender], repeat: int, shown: bool
) -> np.ndarray:
    """Milliseconds [contenders, repeat] of calls with one sample, in turns, after a round to warm up."""
    inputs = samples.read(spread(len(samples), _TIMED_SAMPLES))
    for item in inputs:
        for c in contenders:
            samples.run(c.model, [item], c.recipe)
    times = np.zeros((len(contenders), repeat))
    bar = Progress("latency", repeat, shown)
    for turn in range(repeat):
        for i in range(len(contenders)):
            r = (turn + i) % len(contenders)
            c = contenders[r]
            result = samples.run(c.model, [inputs[turn % len(inputs)]], c.recipe)
            times[r, turn] = 1e3 * result.seconds
        bar.show(turn + 1)
    bar.close()
    return times
