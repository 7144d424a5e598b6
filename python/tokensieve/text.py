"""Models of texts and their results."""

from __future__ import annotations

import os
import time
from typing import Any, Sequence

import numpy as np

from . import _tokensieve as _core
from ._loaded import Loaded, Outputs, RecipeLike
from ._tokensieve import Recipe, TextClassifier

#: The ids of one text, special tokens included: a list, or an integer array [tokens].
IdsLike = Any


class TextModel(Loaded):
    """A loaded text model. Calls release the GIL and may come from several threads at once."""

    _core: TextClassifier

    def __init__(self, folder: str | os.PathLike[str], core: TextClassifier) -> None:
        super().__init__(folder)
        self._core = core

    def __call__(
        self,
        ids: IdsLike | Sequence[IdsLike],
        types: IdsLike | Sequence[IdsLike] | None = None,
        *,
        recipe: RecipeLike | None = None,
        keep: float | None = None,
        threshold: float | None = None,
        mass: float | None = None,
        entropy: float | None = None,
        confidence: float | None = None,
        patience: float | None = None,
        batch: int = 32,
    ) -> TextResult:
        """Runs one text or a list of them, of any lengths: nothing is padded.

        `types` are the token types of a pair, 0 when not given. `recipe` replaces the model's own;
        `keep`, `threshold` or `mass` changes its density for this call, `entropy`, `confidence` or
        `patience` its exit. At most `batch` texts run at a time. Raises ValueError for ids that the
        model does not have, for too long texts and for recipes that do not parse.
        """
        chosen = self._recipe(recipe, keep=keep, threshold=threshold, mass=mass)
        chosen = self._recipe(chosen, entropy=entropy, confidence=confidence, patience=patience)
        texts = _as_texts(ids, "ids")
        kinds = [] if types is None else _as_texts(types, "types")
        if kinds and len(kinds) != len(texts):
            raise ValueError(f"[model] expected types for each of {len(texts)} texts, got {len(kinds)}")
        if batch < 1:
            raise ValueError(f"[model] batch must be 1 or more, got {batch}")
        outputs: list[_core.Output] = []
        seconds = 0.0
        for start in range(0, len(texts), batch):
            part = slice(start, start + batch)
            started = time.perf_counter()
            outputs += self._core.run(texts[part], kinds[part], chosen)
            seconds += time.perf_counter() - started
        return TextResult(self, chosen, outputs, seconds)


class TextResult(Outputs):
    """What a call gives: one entry for each text everywhere."""

    def __init__(
        self, model: TextModel, recipe: Recipe, outputs: list[_core.Output], seconds: float
    ) -> None:
        super().__init__(model, recipe, outputs, seconds)

    @property
    def logits(self) -> np.ndarray | list[np.ndarray]:
        """float32 [batch, classes], or the embeddings [batch, dim]. Of a model that gives logits for
        every token a list of [tokens, classes], in which a dropped token has those of its last state.
        """
        config = self._model.config
        if config["head"] in ("tokens", "question_answering"):
            return [output.logits.reshape(-1, config["num_classes"]) for output in self._outputs]
        return self._stacked_logits()

    @property
    def exit_layers(self) -> np.ndarray:
        """int64 [batch]: block behind which each text exited, -1 for those that went to the end."""
        return np.array([output.trace.exit_layer for output in self._outputs], np.int64)

    def __repr__(self) -> str:
        return self._summary("text")


def _as_texts(values: IdsLike | Sequence[IdsLike], what: str) -> list[np.ndarray]:
    """One int32 array a text."""
    if isinstance(values, (str, bytes)):
        raise ValueError(f"[model] expected {what} as integers, got a text; tokenize it first")
    if not hasattr(values, "__array__"):
        values = list(values)
    nested = len(values) > 0 and np.ndim(values[0]) > 0
    empty = len(values) == 0 and not hasattr(values, "__array__")
    return [_as_ids(text, what) for text in (values if nested or empty else [values])]


def _as_ids(text: IdsLike, what: str) -> np.ndarray:
    array = np.asarray(text)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"[model] expected {what} as integers [tokens], got {array.dtype} {list(array.shape)}"
        )
    limit = np.iinfo(np.int32)
    if array.size and (array.min() < limit.min or array.max() > limit.max):
        raise ValueError(f"[model] expected {what} of 32 bits, got {array.min()} to {array.max()}")
    return np.ascontiguousarray(array, np.int32)
