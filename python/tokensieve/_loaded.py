"""What models of pictures and of texts share, and their results."""

from __future__ import annotations

import json
import numbers
import os
import pathlib
from typing import Any, Union

import numpy as np

from . import _tokensieve as _core
from ._tokensieve import Choice, Classifier, Recipe, TextClassifier

RecipeLike = Union[Recipe, str]


class Loaded:
    """A loaded model folder."""

    _core: Classifier | TextClassifier
    _options: tuple[int, int] = (0, 5)  # threads and top, as load() has them

    def __init__(self, folder: str | os.PathLike[str], core: Any) -> None:
        self.folder = pathlib.Path(folder)
        self._place = self.folder.absolute()  # wherever the process goes
        self._core = core

    @property
    def config(self) -> dict[str, Any]:
        """Sizes of the architecture, by the keys that `tokensieve info --json` has; `name` is its `architecture`."""
        return self._core.config

    @property
    def labels(self) -> list[str]:
        """Names of the classes; empty when the folder has none."""
        return self._core.labels

    @property
    def recipe(self) -> Recipe:
        """The recipe that a call without one uses."""
        return self._core.recipe

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the weights come from, as the folder says; empty when it does not."""
        return json.loads(self._core.provenance or "{}")

    @property
    def calibrations(self) -> list[dict[str, Any]]:
        """What `calibrate` measured, one for each recipe, as sieve.json has it."""
        return [json.loads(text) for text in self._core.calibrations]

    @property
    def machine(self) -> dict[str, Any]:
        """What latencies hold for: `cpu`, `threads` of a call, `precision`."""
        return self._core.machine

    def within(
        self,
        recipe: RecipeLike | None = None,
        *,
        macs: float | None = None,
        latency_ms: float | None = None,
        agree: float | None = None,
    ) -> Choice:
        """The recipe at the density that fits one budget, by the folder's calibration.

        `macs` multiply-accumulates a sample at most, on average; `latency_ms` milliseconds at most for
        a call with one sample on this machine; `agree` the least share of answers that are the dense
        network's, with 95 % confidence. Never a density that is slower than dense at batch 1, where that
        was measured; dense where nothing else is left, and `Choice.reason` says why. Without a recipe
        it is the model's or, where that is dense, the only one calibrated. Raises ValueError with the
        cure when nothing fits, or nothing was calibrated.
        """
        chosen = None if recipe is None else self._recipe(recipe)
        budget = {"macs": macs, "latency_ms": latency_ms, "agree": agree}
        for key, value in budget.items():
            _check_number(key, value)
        return self._core.within(chosen, **budget)

    def _choose(
        self,
        recipe: RecipeLike | None,
        densities: dict[str, float | None],
        budget: dict[str, float | None],
    ) -> tuple[Recipe, str]:
        """The recipe of a call, and why where a budget chose its density."""
        asked = [key for key, value in budget.items() if value is not None]
        if not asked:
            return self._recipe(recipe, **densities), ""
        both = [key for key, value in densities.items() if value is not None]
        if both:
            raise ValueError(
                f"[budget] expected {both[0]} or {asked[0]}, which chooses a density, got both"
            )
        choice = self.within(recipe, **budget)
        return choice.recipe, choice.reason

    def _recipe(self, recipe: RecipeLike | None, **densities: float | None) -> Recipe:
        chosen = self.recipe if recipe is None else recipe
        if isinstance(chosen, str):
            chosen = Recipe(chosen)
        if not isinstance(chosen, Recipe):
            raise TypeError(f"[recipe] expected a Recipe or its text, got {type(chosen).__name__}")
        for key, value in densities.items():
            _check_number(key, value)
            if value is not None:
                chosen = chosen.with_density(key, value)
        return chosen

    def __repr__(self) -> str:
        c = self.config
        return (
            f"<tokensieve.{type(self).__name__} {c['name']}: {c['depth']} blocks, "
            f"{c['embed_dim']} wide, {c['num_classes']} classes, recipe '{self.recipe}'>"
        )


def _check_number(key: str, value: Any) -> None:
    if value is not None and not isinstance(value, numbers.Real):
        raise TypeError(f"[model] expected a number for {key}, got {value!r}")


class Outputs:
    """What a call gives: one entry for each input everywhere."""

    def __init__(
        self,
        model: Loaded,
        recipe: Recipe,
        outputs: list[_core.Output],
        seconds: float,
        reason: str = "",
    ) -> None:
        self._model = model
        self._outputs = outputs
        self.recipe = recipe  #: The recipe that ran.
        self.seconds = seconds  #: Time in the network, without preparing its inputs.
        self.reason = reason  #: Why, where a budget chose its density; else "".

    def __len__(self) -> int:
        return len(self._outputs)

    def _stacked_logits(self) -> np.ndarray:
        width = max(self._model.config["num_classes"], 0) or self._model.config["embed_dim"]
        rows = [output.logits for output in self._outputs]
        return np.stack(rows) if rows else np.zeros((0, width), np.float32)

    @property
    def labels(self) -> list[str]:
        """The best guess for each input; "" where there is none: without a classifier, or with logits that are no numbers."""
        return [o.top[0][1] if o.top and not np.isnan(o.top[0][2]) else "" for o in self._outputs]

    def top(self, k: int = 5) -> list[list[tuple[str, float]]]:
        """The `k` best (label, probability) of each input, as many as the model was loaded for.

        Raises ValueError for a negative `k`.
        """
        if k < 0:
            raise ValueError(f"[top] expected k of 0 or more, got {k}")
        return [[(name, p) for _, name, p in output.top[:k]] for output in self._outputs]

    @property
    def traces(self) -> list[_core.RetentionTrace]:
        """Which token was where after each site."""
        return [output.trace for output in self._outputs]

    @property
    def kept(self) -> list[np.ndarray]:
        """int32 indices of the tokens that have a row of their own at the end: row-major patches, or
        words after the class token, counted from 0."""
        return [output.trace.kept_indices() for output in self._outputs]

    @property
    def tokens_per_layer(self) -> np.ndarray:
        """int64 [batch, depth]: rows that enter the MLP of each block, prefix tokens included."""
        depth = self._model.config["depth"]
        rows = [output.layers[:, 2] for output in self._outputs]
        return np.stack(rows) if rows else np.zeros((0, depth), np.int64)

    @property
    def macs(self) -> np.ndarray:
        """int64 [batch]: multiply-accumulates executed for each input."""
        return np.array([output.macs for output in self._outputs], np.int64)

    def _summary(self, unit: str) -> str:
        if not self._outputs:
            return f"<tokensieve.{type(self).__name__} of no {unit}s>"
        best = ", ".join(repr(label) for label in self.labels[:3])
        more = ", ..." if len(self) > 3 else ""
        return (
            f"<tokensieve.{type(self).__name__} of {len(self)}: {best}{more}; "
            f"{self.macs.mean() / 1e9:.2f} GMACs, {self.seconds * 1e3 / len(self):.1f} ms a {unit}>"
        )
