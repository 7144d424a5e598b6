"""Accuracy, MACs and speed of recipes over labelled pictures or texts."""

from __future__ import annotations

import concurrent.futures
import math
import os
import sys
from dataclasses import dataclass
from typing import Any, Iterable, Sequence

import numpy as np

from . import _tokensieve as _core
from ._loaded import Loaded, Outputs, RecipeLike
from ._progress import Progress
from ._samples import Samples, TextSamples, open_samples, spread
from ._tokensieve import Recipe
from .model import Model
from .table import Bucket, Interval, Row, Speed, Table
from .text import TextModel

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_SPEED_BATCHES = (1, 8)
_SPEED_SAMPLES = 16
_FEWEST_TOKENS = 4  # the special ones of a pair


def evaluate(
    model: Model | TextModel,
    data: str | os.PathLike[str],
    recipes: RecipeLike | Iterable[RecipeLike | tuple[RecipeLike, Model | TextModel]] | None = None,
    *,
    baseline: Model | TextModel | None = None,
    batch: int = 32,
    rounds: int = 9,
    limit: int | None = None,
    apply_orientation: bool = True,
    max_length: int | None = None,
    truncate: int | str | Sequence[int | str] = (),
    buckets: Sequence[int] = (),
    progress: bool | None = None,
) -> Table:
    """Runs dense and every recipe over a folder with one folder of pictures a class, a list of pictures (a
    path, a tab and the number of a class a line), or a file of texts.

    Without `recipes` that is the model's own. The classes' folder names must be the model's labels, in
    any case and with spaces, "_" or "-" (folders are taken in order where labels are no names, and
    ImageNet's thousand by their WordNet ids); texts are a .tsv or .jsonl file as `read_text_dataset` takes
    it, with labels. With a `baseline`, dense is that model's, the model's own network with all tokens
    comes second. A recipe may be a pair, (recipe, other model), so that one table holds models that were
    trained for different methods; its row is called "recipe@folder". All models must have the same labels
    and, of pictures, preprocessing. All recipes see the same samples. `limit` takes that many of them
    evenly spread over the data. Speed is timed at the end, on 16 of the samples at batches of 1 and 8:
    after a round to warm up the recipes take turns call by call for `rounds` rounds; 0 leaves it out.
    Pictures are turned as their EXIF orientation says; without `apply_orientation` they are read as they
    are stored, as timm and torchvision do it.

    Of texts at most `max_length` tokens are read, all that the model can by default. `truncate` adds the
    dense network on texts cut off after so many tokens; "equal" is as many as make it cost the mean
    MACs of a recipe, and no fewer. `buckets` are lengths in tokens, ascending: texts of up to so many
    are looked at together, then the rest; without any, quarters of the texts are.

    `progress` shows a bar on standard error (by default, when that is a terminal). Raises
    RuntimeError for classes that are not the model's, and for data that cannot be read.
    """
    if recipes is None:
        recipes = model._core.recipe_text  # as the folder has it, which is shorter than the long form
    pair = isinstance(recipes, tuple) and len(recipes) == 2 and isinstance(recipes[1], Loaded)
    if isinstance(recipes, (str, Recipe)) or pair:
        recipes = [recipes]
    pairs = [entry if isinstance(entry, tuple) else (entry, model) for entry in recipes]
    if not pairs:
        raise ValueError("[evaluate] expected one recipe or more, got none")
    if batch < 1:
        raise ValueError(f"[evaluate] batch must be 1 or more, got {batch}")
    if rounds < 0:
        raise ValueError(f"[evaluate] rounds must be 0 or more, got {rounds}")
    cuts = [truncate] if isinstance(truncate, (int, str)) else list(truncate)
    edges = [int(edge) for edge in buckets]
    if not isinstance(model, TextModel) and (cuts or edges or max_length is not None):
        raise ValueError("[evaluate] truncate, buckets and max_length are for text models")
    for cut in cuts:
        if cut != "equal" and not (isinstance(cut, int) and cut >= _FEWEST_TOKENS):
            raise ValueError(
                f"[truncate] expected 'equal' or {_FEWEST_TOKENS} tokens or more, got {cut!r}"
            )
    if sorted(set(edges)) != edges:
        raise ValueError(f"[evaluate] expected buckets that rise, got {edges}")
    samples = open_samples(model, data, apply_orientation, max_length, "evaluate")
    read = {id(model): samples}

    def contender(name: str, recipe: Recipe, its_model: Model | TextModel) -> Contender:
        if id(its_model) not in read:
            _check_comparable(model, its_model)
            read[id(its_model)] = samples
            if isinstance(its_model, TextModel):  # with a tokenizer of its own
                read[id(its_model)] = open_samples(
                    its_model, data, apply_orientation, max_length, "evaluate"
                )
        place = "" if its_model is model else f"@{its_model.folder}"
        return Contender(its_model, name, recipe, read[id(its_model)], place)

    dense = Recipe("dense")
    contenders = [contender("dense", dense, baseline or model)]
    contenders[0].place = ""
    if baseline is not None:
        contenders.append(contender("all tokens", dense, model))
    for entry, its_model in pairs:
        recipe = its_model._recipe(entry)
        if its_model is not model or not recipe.is_dense:
            contenders.append(contender(str(entry), recipe, its_model))
    shown = sys.stderr.isatty() if progress is None else progress
    indices = spread(len(samples), limit)
    answers = run_contenders(contenders, indices, batch, "evaluate", shown)
    truncated = _truncated(contenders[0], cuts, answers)
    answers += run_contenders(truncated, indices, batch, "evaluate", shown)
    contenders += truncated
    labels = samples.labels[indices]
    speeds: list[list[Speed]] = [[] for _ in contenders]
    if rounds:
        speeds = _measure_speed(contenders, indices, rounds, shown)
    groups: list[np.ndarray] = []
    if isinstance(model, TextModel):
        groups = _length_groups(np.array(answers[0].lengths), edges)
    rows = [
        _row(contender, answer, answers[0], labels, groups, speed)
        for contender, answer, speed in zip(contenders, answers, speeds)
    ]
    return Table(rows, "text" if isinstance(model, TextModel) else "image")


@dataclass
class Contender:
    """A recipe, the model it runs on and the samples as that model reads them."""

    model: Model | TextModel
    name: str
    recipe: Recipe
    samples: Samples
    place: str = ""  #: "@folder" where the model is not the evaluation's.
    truncated: int = 0  #: Tokens that its texts are cut off after, for plain truncation; else 0.


class Answers:
    """What one recipe said of all samples, and at what cost."""

    def __init__(self, depth: int) -> None:
        self.labels: list[int] = []  # -1, which is nobody's label, where a logit is NaN
        self.macs: list[int] = []
        self.lengths: list[int] = []  # rows in the first block: of dense, the tokens
        self.tokens = np.zeros(depth)

    def add(self, result: Outputs) -> None:
        logits = result._stacked_logits()
        nan = np.isnan(logits).any(axis=1)
        self.labels += np.where(nan, -1, logits.argmax(axis=1)).tolist()
        self.macs += result.macs.tolist()
        self.lengths += [int(output.layers[0, 0]) for output in result._outputs]
        self.tokens += result.tokens_per_layer.sum(axis=0)


def run_contenders(
    contenders: list[Contender], indices: np.ndarray, batch: int, operation: str, shown: bool
) -> list[Answers]:
    """What each contender said of the samples; those that stand together and read the same share a pass."""
    answers = [Answers(contender.model.config["depth"]) for contender in contenders]
    first = 0
    while first < len(contenders):
        samples = contenders[first].samples
        end = first
        while end < len(contenders) and contenders[end].samples is samples:
            end += 1
        bar = Progress(operation, len(indices), shown)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            parts = [indices[i : i + batch] for i in range(0, len(indices), batch)]
            ahead = [pool.submit(samples.read, part) for part in parts[:2]]
            done = 0
            for index, part in enumerate(parts):
                inputs = ahead.pop(0).result()
                if index + 2 < len(parts):
                    ahead.append(pool.submit(samples.read, parts[index + 2]))
                for r in range(first, end):
                    answers[r].add(samples.run(contenders[r].model, inputs, contenders[r].recipe))
                done += len(part)
                bar.show(done)
        bar.close()
        first = end
    return answers


def _check_comparable(model: Model | TextModel, other: Model | TextModel) -> None:
    if type(other) is not type(model):
        kind = "texts" if isinstance(model, TextModel) else "pictures"
        raise ValueError(f"[evaluate] expected a model of {kind}, as the first is, got {other.folder}")
    if other.labels != model.labels or other.config["num_classes"] != model.config["num_classes"]:
        raise ValueError(
            f"[evaluate] expected a model with the labels of the first, got {other.folder}"
        )
    if isinstance(model, Model) and isinstance(other, Model):
        if other.preprocessing != model.preprocessing:
            raise ValueError(
                "[evaluate] expected a model that preprocesses pictures as the first does, "
                f"got {other.folder}"
            )


def _truncated(dense: Contender, cuts: list[int | str], answers: list[Answers]) -> list[Contender]:
    """Dense on texts cut off after each number of tokens, for "equal" those of equal MACs."""
    if not cuts or not isinstance(dense.samples, TextSamples):
        return []
    lengths: set[int] = set()
    for cut in cuts:
        lengths.update(_equal_truncations(dense.model, answers) if isinstance(cut, str) else [cut])
    return [
        Contender(dense.model, f"truncate({n})", dense.recipe, dense.samples.truncated(n), "", n)
        for n in sorted(lengths)
    ]


def _equal_truncations(model: Any, answers: list[Answers]) -> list[int]:
    """For each recipe the fewest tokens for dense to cost no fewer MACs; none where that is dense."""
    sizes, counts = np.unique(answers[0].lengths, return_counts=True)
    dense = np.array([model.dense_macs(n) for n in range(1, int(sizes[-1]) + 1)], float)
    found = []
    for answer in answers:
        low, high = _FEWEST_TOKENS, int(sizes[-1])
        while low < high:
            middle = (low + high) // 2
            cost = float((counts * dense[np.minimum(sizes, middle) - 1]).sum())
            if cost < float(np.sum(answer.macs, dtype=float)):
                low = middle + 1
            else:
                high = middle
        if low < sizes[-1]:
            found.append(low)
    return found


def _length_groups(lengths: np.ndarray, edges: list[int]) -> list[np.ndarray]:
    """Positions of the texts of up to each length, then of the rest; those without texts are left out."""
    if not edges:
        edges = sorted({int(np.quantile(lengths, share)) for share in (0.25, 0.5, 0.75)})
    bucket = np.searchsorted(edges, lengths)
    return [np.flatnonzero(bucket == i) for i in np.unique(bucket)]


def _measure_speed(
    contenders: list[Contender], indices: np.ndarray, rounds: int, shown: bool
) -> list[list[Speed]]:
    """The speeds of each contender. Every call stands beside the same call of all others, in changing order."""
    timed = indices[spread(len(indices), _SPEED_SAMPLES)]
    timed = timed[np.arange(_SPEED_SAMPLES) % len(timed)]
    inputs = {id(c.samples): c.samples.read(timed) for c in contenders}
    speeds: list[list[Speed]] = [[] for _ in contenders]
    bar = Progress("speed", len(_SPEED_BATCHES) * (rounds + 1), shown)
    for step, batch in enumerate(_SPEED_BATCHES):
        seconds = np.zeros((len(contenders), rounds + 1))  # the first round warms up
        macs = np.zeros(len(contenders))
        for turn in range(rounds + 1):
            for p, start in enumerate(range(0, _SPEED_SAMPLES, batch)):
                for i in range(len(contenders)):
                    r = (i + turn + p) % len(contenders)
                    c = contenders[r]
                    part = inputs[id(c.samples)][start : start + batch]
                    result = c.samples.run(c.model, part, c.recipe)
                    seconds[r, turn] += result.seconds
                    macs[r] += result.macs.sum()
            bar.show(step * (rounds + 1) + turn + 1)
        for r in range(len(contenders)):
            rates = _SPEED_SAMPLES / seconds[r, 1:]
            ratios = seconds[0, 1:] / seconds[r, 1:]
            gain = float(macs[0] / macs[r])
            speedup = float(np.median(ratios))
            speeds[r].append(
                Speed(
                    batch=batch,
                    samples_per_second=float(np.median(rates)),
                    samples_per_second_quartiles=_quartiles(rates),
                    speedup=speedup,
                    speedup_quartiles=_quartiles(ratios),
                    mac_gain=gain,
                    efficiency=speedup / gain,
                )
            )
    bar.close()
    return speeds


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


def _figures(
    answers: Answers, dense: Answers, labels: np.ndarray, chosen: np.ndarray
) -> dict[str, Any]:
    """What Row and Bucket have in common, of the samples at the positions `chosen`."""
    count = len(chosen)
    said, said_dense = np.array(answers.labels)[chosen], np.array(dense.labels)[chosen]
    right, right_dense = said == labels[chosen], said_dense == labels[chosen]
    correct = int(right.sum())
    gained, lost = int((right & ~right_dense).sum()), int((~right & right_dense).sum())
    macs = np.array(answers.macs, float)[chosen].sum()
    return dict(
        correct=correct,
        top1=correct / count,
        top1_interval=_wilson(correct, count),
        gained=gained,
        lost=lost,
        difference=(gained - lost) / count,
        difference_interval=(0.0, 0.0) if answers is dense else _paired(gained, lost, count),
        same_label=float(((said == said_dense) & (said_dense >= 0)).mean()),
        macs=float(macs / count),
        macs_share=float(macs / np.array(dense.macs, float)[chosen].sum()),
    )


def _row(
    contender: Contender,
    answers: Answers,
    dense: Answers,
    labels: np.ndarray,
    groups: list[np.ndarray],
    speeds: list[Speed],
) -> Row:
    name, recipe = contender.name, contender.recipe
    method = name if recipe.is_dense else _core.method_name(name)
    key, density = recipe.density_key, recipe.density
    if contender.truncated:
        method, key, density = "truncate", "tokens", str(contender.truncated)
    lengths = np.array(dense.lengths)
    return Row(
        name=name + contender.place,
        method=method + contender.place,
        density_key=key,
        density=density,
        recipe=str(recipe),
        **_figures(answers, dense, labels, np.arange(len(labels))),
        tokens_per_layer=[float(t) / len(labels) for t in answers.tokens],
        buckets=[
            Bucket(
                shortest=int(lengths[group].min()),
                longest=int(lengths[group].max()),
                count=len(group),
                **_figures(answers, dense, labels, group),
            )
            for group in groups
        ],
        speeds=speeds,
    )
