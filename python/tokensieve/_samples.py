"""Pictures and texts that models are measured on."""

from __future__ import annotations

import abc
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from . import _tokensieve as _core
from ._loaded import Outputs
from ._tokensieve import Recipe, TextDataset
from .model import Model
from .text import TextModel


class Samples(abc.ABC):
    """A data set as one model reads it."""

    labels: np.ndarray  #: int [samples]; -1 where a class is not known.
    source: str

    def __len__(self) -> int:
        return len(self.labels)

    @abc.abstractmethod
    def read(self, indices: np.ndarray) -> list[Any]:
        """What the network reads of these samples. Serves several threads."""

    @abc.abstractmethod
    def run(self, model: Any, inputs: list[Any], recipe: Recipe) -> Outputs:
        """What `model` makes of what `read` gave, in one batch."""


class PictureSamples(Samples):
    def __init__(
        self, model: Model, paths: list[pathlib.Path], labels: list[int], source: str, orient: bool
    ) -> None:
        self.labels = np.array(labels, np.int64)
        self.source = source
        self._model, self._paths, self._orient = model, paths, orient

    def read(self, indices: np.ndarray) -> list[Any]:
        read, prepare = _core.read_image, self._model.preprocess
        return [prepare(read(self._paths[i], self._orient)) for i in indices]

    def run(self, model: Any, inputs: list[Any], recipe: Recipe) -> Outputs:
        return model(inputs, recipe=recipe, batch=len(inputs))


class TextSamples(Samples):
    def __init__(self, model: TextModel, data: TextDataset, source: str, max_length: int) -> None:
        self.labels = np.array(data.labels, np.int64)
        self.source = source
        self._model, self._data, self._max_length = model, data, max_length
        self._texts = data.texts

    def read(self, indices: np.ndarray) -> list[Any]:
        return [self._model._encode(self._texts[i], self._max_length) for i in indices]

    def run(self, model: Any, inputs: list[Any], recipe: Recipe) -> Outputs:
        ids, types = [tokens.ids for tokens in inputs], [tokens.types for tokens in inputs]
        return model(ids, types, recipe=recipe, batch=len(inputs))

    def truncated(self, max_length: int) -> TextSamples:
        """The same texts cut off after so many tokens."""
        return TextSamples(self._model, self._data, self.source, min(max_length, self._max_length))


def open_samples(
    model: Model | TextModel,
    data: str | os.PathLike[str],
    apply_orientation: bool,
    max_length: int | None,
    operation: str,
    labelled: bool = True,
) -> Samples:
    """The pictures of a folder or a list, or the texts of a file, with classes of the model.

    Without `labelled` they may have none. Raises RuntimeError for samples without a class of the model.
    """
    path = pathlib.Path(data)
    if isinstance(model, TextModel):
        return _open_texts(model, path, max_length, operation, labelled)
    if model.config["num_classes"] < 1:
        raise ValueError(f"[{operation}] this model has no classifier")
    if not path.exists():
        raise RuntimeError(f"[{operation}] expected a folder or a list of pictures, got {path}")
    classes = model.config["num_classes"]
    samples, note = _core.open_pictures(path, model.labels or [], classes, labelled, operation)
    if note:
        warnings.warn(f"[{operation}] {note}", stacklevel=3)
    paths, labels = [file for file, _ in samples], [label for _, label in samples]
    return PictureSamples(model, paths, labels, str(path), apply_orientation)


def _open_texts(
    model: TextModel, path: pathlib.Path, max_length: int | None, operation: str, labelled: bool
) -> TextSamples:
    if model.config["head"] != "classification":
        raise ValueError(
            f"[{operation}] expected a model with a label for a text, got one of {model.config['head']}"
        )
    most = model.config["max_positions"]
    if max_length is not None and not 4 <= max_length <= most:
        raise ValueError(f"[{operation}] expected a max_length of 4 to {most} tokens, got {max_length}")
    model.tokenizer  # says so if there is none
    data = _core.open_texts(path, model.config["num_classes"], labelled, operation)
    return TextSamples(model, data, str(path), max_length or most)


def spread(total: int, limit: int | None, operation: str = "evaluate") -> np.ndarray:
    """Indices of at most `limit` of `total` samples (None: of all), evenly spread."""
    if limit is not None and limit < 1:
        raise ValueError(f"[{operation}] limit must be 1 or more, got {limit}")
    count = total if limit is None else min(limit, total)
    return np.arange(count) * total // count
