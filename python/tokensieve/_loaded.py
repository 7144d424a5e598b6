"""What models of pictures and of texts share, and their results."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Union

import numpy as np

from . import _tokensieve as _core
from ._tokensieve import Classifier, Recipe, TextClassifier

RecipeLike = Union[Recipe, str]


class Loaded:
    """A loaded model folder."""

    _core: Classifier | TextClassifier

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder)

    @property
    def config(self) -> dict[str, Any]:
        """Sizes of the architecture."""
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

    def _recipe(self, recipe: RecipeLike | None, **densities: float | None) -> Recipe:
        chosen = self.recipe if recipe is None else recipe
        if isinstance(chosen, str):
            chosen = Recipe(chosen)
        for key, value in densities.items():
            if value is not None:
                chosen = chosen.with_density(key, value)
        return chosen

    def __repr__(self) -> str:
        c = self.config
        return (
            f"<tokensieve.{type(self).__name__} {c['name']}: {c['depth']} blocks, "
            f"{c['embed_dim']} wide, {c['num_classes']} classes, recipe '{self.recipe}'>"
        )


class Outputs:
    """What a call gives: one entry for each input everywhere."""

    def __init__(
        self, model: Loaded, recipe: Recipe, outputs: list[_core.Output], seconds: float
    ) -> None:
        self._model = model
        self._outputs = outputs
        self.recipe = recipe  #: The recipe that ran.
        self.seconds = seconds  #: Time in the network, without preparing its inputs.

    def __len__(self) -> int:
        return len(self._outputs)

    def _stacked_logits(self) -> np.ndarray:
        width = max(self._model.config["num_classes"], 0) or self._model.config["embed_dim"]
        rows = [output.logits for output in self._outputs]
        return np.stack(rows) if rows else np.zeros((0, width), np.float32)

    @property
    def labels(self) -> list[str]:
        """The best guess for each input."""
        return [output.top[0][1] if output.top else "" for output in self._outputs]

    def top(self, k: int = 5) -> list[list[tuple[str, float]]]:
        """The `k` best (label, probability) of each input, as many as the model was loaded for."""
        return [[(name, p) for _, name, p in output.top[:k]] for output in self._outputs]

    @property
    def traces(self) -> list[_core.RetentionTrace]:
        """Which token was where after each site."""
        return [output.trace for output in self._outputs]

    @property
    def kept(self) -> list[np.ndarray]:
        """int32 indices of the tokens that have a row of their own at the end: row-major patches, or
        words behind the class token, counted from 0."""
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
