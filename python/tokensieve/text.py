"""Models of texts and their results."""

from __future__ import annotations

import html
import os
import pathlib
import time
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from . import _tokensieve as _core
from ._loaded import Loaded, Outputs, RecipeLike
from ._tokensieve import Recipe, TextClassifier, Tokenizer, Tokens

#: A text as str, a pair of them as a tuple, or its ids, special tokens included: a list, or an integer
#: array [tokens].
TextLike = Any


class TextModel(Loaded):
    """A loaded text model. Calls release the GIL and may come from several threads at once."""

    _core: TextClassifier

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer. Raises RuntimeError when it has none, or one that does not fit."""
        return self._core.tokenizer

    def dense_macs(self, num_tokens: int) -> int:
        """Multiply-accumulates of the dense network on a text of so many tokens, special ones included."""
        return self._core.dense_macs(num_tokens)

    def __call__(
        self,
        texts: TextLike | Sequence[TextLike],
        types: Any = None,
        *,
        recipe: RecipeLike | None = None,
        keep: float | None = None,
        threshold: float | None = None,
        mass: float | None = None,
        entropy: float | None = None,
        confidence: float | None = None,
        patience: float | None = None,
        macs: float | None = None,
        latency_ms: float | None = None,
        agree: float | None = None,
        batch: int = 32,
    ) -> TextResult:
        """Runs one text or a list of them, of any lengths: nothing is padded.

        Texts are str, pairs of str as tuples, or ids, several in any iterable; what is longer than the model reads is cut off,
        of ids it is an error. `types` are the token types of a pair of ids, 0 when not given. `recipe` replaces the model's own;
        `keep`, `threshold` or `mass` changes its density for this call, `entropy`, `confidence` or
        `patience` its exit; a budget, `macs`, `latency_ms` or `agree`, chooses the density as `within` has it. At most `batch` texts run at a time. Raises ValueError for ids that the
        model does not have, for too long texts and for recipes that do not parse, TypeError for what is
        no text.
        """
        densities = {"keep": keep, "threshold": threshold, "mass": mass}
        densities |= {"entropy": entropy, "confidence": confidence, "patience": patience}
        budget = {"macs": macs, "latency_ms": latency_ms, "agree": agree}
        chosen, reason = self._choose(recipe, densities, budget)
        texts = _listed(texts)
        listed, tokens = self._tokenize(texts)
        if tokens is not None:
            if types is not None:
                raise ValueError("[model] expected types beside ids, got them beside texts")
            texts, types = [t.ids for t in tokens], [t.types for t in tokens]
        inputs = _as_texts(texts, "ids")
        kinds = [] if types is None else _as_texts(types, "types")
        if kinds and len(kinds) != len(inputs):
            raise ValueError(f"[model] expected types for each of {len(inputs)} texts, got {len(kinds)}")
        if batch < 1:
            raise ValueError(f"[model] batch must be 1 or more, got {batch}")
        outputs: list[_core.Output] = []
        seconds = 0.0
        for start in range(0, len(inputs), batch):
            part = slice(start, start + batch)
            started = time.perf_counter()
            outputs += self._core.run(inputs[part], kinds[part], chosen)
            seconds += time.perf_counter() - started
        return TextResult(self, chosen, outputs, seconds, tokens, listed, reason)

    def _tokenize(self, texts: TextLike | Sequence[TextLike]) -> tuple[list[Any], list[Tokens] | None]:
        """The texts as a list and their tokens; None for ids."""
        single = isinstance(texts, (str, bytes)) or _is_pair(texts)
        listed = [texts] if single else texts
        if len(listed) == 0 or not (isinstance(listed[0], (str, bytes)) or _is_pair(listed[0])):
            return [], None
        return list(listed), [self._encode(t, self.config["max_positions"]) for t in listed]

    def _encode(self, text: TextLike, max_tokens: int) -> Tokens:
        if _is_pair(text):
            first, second = text
            return self.tokenizer.encode_pair(first, second, max_tokens)
        return self.tokenizer.encode(text, max_tokens)


class TextResult(Outputs):
    """What a call gives: one entry for each text everywhere."""

    def __init__(
        self,
        model: TextModel,
        recipe: Recipe,
        outputs: list[_core.Output],
        seconds: float,
        tokens: list[Tokens] | None = None,
        texts: Sequence[TextLike] = (),
        reason: str = "",
    ) -> None:
        super().__init__(model, recipe, outputs, seconds, reason)
        self._texts = texts
        self.tokens = tokens  #: Of the texts, for each its Tokens; None where ids were given.

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
        """int64 [batch]: block after which each text exited, -1 for those that went to the end."""
        return np.array([output.trace.exit_layer for output in self._outputs], np.int64)

    def strip(self, index: int = 0, width: int = 900) -> np.ndarray:
        """uint8 [h, width, 3]: text `index`, its words the paler the earlier they left.

        A pair has each of its texts on a line of its own. Only ASCII can be drawn; `save` writes a page
        that has every character. Raises ValueError for ids, and for texts of more than 20,000 bytes.
        """
        return self._picture(index).strip(width)

    def words(self, index: int = 0, color: bool = False) -> str:
        """Text `index` for a terminal: words that left have the number of their block as a subscript,
        with `color` also its colour; a line counts them."""
        return self._picture(index).terminal(color)

    def page(self) -> str:
        """All texts as one HTML page with a slider over the blocks, at which words fade as they leave."""
        return _core.text_html_report(
            [self._picture(i) for i in range(len(self))], subtitle=str(self.recipe)
        )

    def save(self, path: str | os.PathLike[str], index: int = 0) -> None:
        """Writes the strip of text `index` as PNG, or all texts as one HTML page (.html)."""
        target = pathlib.Path(path)
        if target.suffix.lower() == ".html":
            _core.write_text_file(target, self.page())
        elif target.suffix.lower() == ".png":
            _core.write_png(target, self.strip(index))
        else:
            raise ValueError(f"[save] expected a path that ends in .png or .html, got {target}")

    def _picture(self, index: int) -> Any:
        if not hasattr(_core, "TextPicture"):
            raise RuntimeError("[strip] this build of tokensieve has no pictures (OpenCV was missing)")
        if self.tokens is None:
            raise ValueError("[strip] expected a text, got ids; pass the text")
        text = self._texts[index]
        first, second = text if _is_pair(text) else (text, None)
        output = self._outputs[index]
        top = [(name, p) for _, name, p in output.top]
        return _core.TextPicture(
            _utf8(first),
            None if second is None else _utf8(second),
            self.tokens[index],
            output.trace,
            self._model.config["depth"],
            f"text {index + 1}",
            str(self.recipe),
            top,
            output.macs,
        )

    def _repr_html_(self) -> str:
        if not hasattr(_core, "TextPicture") or self.tokens is None:
            return f"<pre>{html.escape(repr(self))}</pre>"
        page = html.escape(self.page(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:30em;border:0"></iframe>'

    @property
    def contributions(self) -> list[np.ndarray]:
        """What AdapLeR's predictors say of the tokens: for each text float32 [blocks, tokens], of every
        block that predicts the share of each token in the answer, 0 once it has left. The class token
        comes first, as in `tokens`; a row sums to 1. Its mean over the blocks is the model's own
        saliency. Raises ValueError for a recipe that does not go by contributions.
        """
        if not str(self.recipe).startswith("score=contribution"):
            raise ValueError(
                f"[contributions] expected a recipe with score=contribution, such as adapler, got '{self.recipe}'"
            )
        return [_shares(output.trace) for output in self._outputs]

    def __repr__(self) -> str:
        return self._summary("text")


def _shares(trace: _core.RetentionTrace) -> np.ndarray:
    shares = np.zeros((len(trace.sites), 1 + trace.num_tokens), np.float32)
    present = 1 + trace.num_tokens
    for share, site in zip(shares, trace.sites):
        share[1:] = np.nan_to_num(site.score) / present
        share[0] = 1 - share[1:].sum()
        present = site.rows
    return shares


def _listed(texts: Any) -> Any:
    """Texts as a sequence: what iterates over them as a list, a series or tensor as an array."""
    if isinstance(texts, (str, bytes, list, tuple)):
        return texts
    if hasattr(texts, "__array__"):
        return np.asarray(texts)
    if isinstance(texts, Mapping) or not isinstance(texts, Iterable):
        raise TypeError(
            "[model] expected a text, a pair of texts, token ids, or several of these, "
            f"got {type(texts).__name__}"
        )
    return list(texts)


def _is_pair(text: Any) -> bool:
    return (
        isinstance(text, tuple) and len(text) == 2 and all(isinstance(t, (str, bytes)) for t in text)
    )


def _utf8(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _as_texts(values: Any, what: str) -> list[np.ndarray]:
    """One int32 array a text."""
    if not hasattr(values, "__array__"):
        values = list(values)
    nested = len(values) > 0 and np.ndim(values[0]) > 0
    empty = len(values) == 0 and not hasattr(values, "__array__")
    return [_as_ids(text, what) for text in (values if nested or empty else [values])]


def _as_ids(text: Any, what: str) -> np.ndarray:
    array = np.asarray(text)
    if array.dtype.kind in "US":
        raise ValueError("[model] expected a pair of texts as a tuple, got another sequence")
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"[model] expected {what} as integers [tokens], got {array.dtype} {list(array.shape)}"
        )
    limit = np.iinfo(np.int32)
    if array.size and (array.min() < limit.min or array.max() > limit.max):
        raise ValueError(f"[model] expected {what} of 32 bits, got {array.min()} to {array.max()}")
    return np.ascontiguousarray(array, np.int32)
