"""Models and their results."""

from __future__ import annotations

import base64
import html
import os
import pathlib
import time
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from . import _tokensieve as _core
from ._loaded import Loaded, Outputs, RecipeLike
from ._tokensieve import Classifier, Recipe
from .text import TextModel

#: A path, a PIL image, uint8 [height, width, 3] (preprocessed like a file), or float32
#: [3, height, width] or [batch, 3, height, width] (taken as it is: normalised already).
ImageLike = Any


def load(folder: str | os.PathLike[str], *, threads: int = 0, top: int = 5) -> Model | TextModel:
    """Opens a model folder: tokensieve's own, timm's or Hugging Face's.

    Of pictures (ViT, DeiT, DINOv2) it is a `Model`, of texts (BERT, MiniLM, TinyBERT, DistilBERT,
    RoBERTa) a `TextModel`. `threads` is what one call uses, 0 for one a core; `top` how many guesses
    it keeps. Raises RuntimeError naming the file and what is wrong with it.
    """
    core = _core.load(pathlib.Path(folder), threads, top)
    model: Model | TextModel
    if isinstance(core, _core.TextClassifier):
        model = TextModel(folder, core)
    else:
        model = Model(folder, core)
    model._options = (threads, top)
    return model


class Model(Loaded):
    """A loaded model. Calls release the GIL and may come from several threads at once."""

    _core: Classifier

    @property
    def num_predictors(self) -> int:
        """Sites that the model's predictors were trained for; 0 when it has none."""
        return self._core.num_predictors

    @property
    def preprocessing(self) -> dict[str, Any]:
        """`size` (height, width), `crop_pct`, `crop_mode`, `interpolation`, `mean` and `std` (three each)."""
        return self._core.preprocessing

    def preprocess(self, image: ImageLike) -> np.ndarray:
        """The network's input for one picture: float32 [3, H, W]. Raises ValueError for an array that is not uint8
        [height, width, 3]."""
        return self._core.normalize(self._core.resize_and_crop(_pixels(image)))

    def __call__(
        self,
        images: ImageLike | Sequence[ImageLike],
        *,
        recipe: RecipeLike | None = None,
        keep: float | None = None,
        threshold: float | None = None,
        mass: float | None = None,
        macs: float | None = None,
        latency_ms: float | None = None,
        agree: float | None = None,
        batch: int = 32,
    ) -> Result:
        """Classifies one picture or a list of them.

        `recipe` replaces the model's own; `keep`, `threshold` or `mass` changes its density for this
        call, and so does a budget, `macs`, `latency_ms` or `agree`, as `within` has it. At most `batch` pictures run at a time. Raises ValueError for arrays of another shape or
        type and for recipes that do not parse.
        """
        densities = {"keep": keep, "threshold": threshold, "mass": mass}
        budget = {"macs": macs, "latency_ms": latency_ms, "agree": agree}
        chosen, reason = self._choose(recipe, densities, budget)
        items = _as_list(images)
        if batch < 1:
            raise ValueError(f"[model] batch must be 1 or more, got {batch}")
        outputs: list[_core.Output] = []
        views: list[np.ndarray | None] = []
        names: list[str] = []
        seconds = 0.0
        for start in range(0, len(items), batch):
            inputs = []
            for item in items[start : start + batch]:
                if _is_input(item):
                    inputs.append(np.ascontiguousarray(item))
                    views.append(None)
                else:
                    view = self._core.resize_and_crop(_pixels(item))
                    inputs.append(self._core.normalize(view))
                    views.append(view)
                names.append(_name(item))
            started = time.perf_counter()
            outputs += self._core.run(inputs, chosen)
            seconds += time.perf_counter() - started
        return Result(self, chosen, outputs, seconds, views, names, reason)


class Result(Outputs):
    """What a call gives: one entry for each picture everywhere."""

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        outputs: list[_core.Output],
        seconds: float,
        views: list[np.ndarray | None],
        names: list[str],
        reason: str = "",
    ) -> None:
        super().__init__(model, recipe, outputs, seconds, reason)
        self._views = views
        self._names = names

    @property
    def logits(self) -> np.ndarray:
        """float32 [batch, classes]."""
        return self._stacked_logits()

    def strip(self, index: int = 0) -> np.ndarray:
        """uint8 [h, w, 3]: what the network kept of picture `index`, site by site."""
        return self._picture(index).strip()

    def masks(self, index: int = 0, patch: int = -1) -> np.ndarray | None:
        """uint8 [h, w, 3]: what a patch sees in every head of a model with MaiT's masks, else None.

        `patch` is its number, row by row; -1 is one near the middle that stays. Raises ValueError for
        a patch that is not there.
        """
        if self._model.config["attention_masks"] is None:
            return None
        return self._picture(index).mask_map(self._model._core, patch)

    def save(self, path: str | os.PathLike[str], index: int = 0) -> None:
        """Writes the strip of picture `index` as PNG, or all pictures as one HTML page (.html).

        Of a model with masked heads, what they see stands below.
        """
        target = pathlib.Path(path)
        if target.suffix.lower() == ".html":
            pictures = [self._picture(i) for i in range(len(self))]
            drawn = [self.masks(i) for i in range(len(self))]
            figures = [[] if masks is None else [("masked heads", masks)] for masks in drawn]
            _core.write_text_file(target, _core.html_report(pictures, subtitle=str(self.recipe), figures=figures))
        elif target.suffix.lower() == ".png":
            masks = self.masks(index)
            strip = self.strip(index)
            _core.write_png(target, strip if masks is None else _stacked(strip, masks))
        else:
            raise ValueError(f"[save] expected a path that ends in .png or .html, got {target}")

    def _picture(self, index: int) -> Any:
        if not hasattr(_core, "Picture"):
            raise RuntimeError("[strip] this build of tokensieve has no pictures (OpenCV was missing)")
        image = self._views[index]
        if image is None:
            raise ValueError("[strip] expected a picture, got a normalised array; pass the picture")
        output, config = self._outputs[index], self._model.config
        grid = (image.shape[0] // config["patch_size"], image.shape[1] // config["patch_size"])
        top = [(name, p) for _, name, p in output.top]
        return _core.Picture(
            image, grid, output.trace, self._names[index], str(self.recipe), top, output.macs
        )

    def _repr_html_(self) -> str:
        pictures = []
        drawn = min(len(self), 4) if hasattr(_core, "Picture") else 0
        for index in range(drawn):
            if self._views[index] is not None:
                png = base64.b64encode(_core.encode_png(self.strip(index))).decode()
                pictures.append(f'<img src="data:image/png;base64,{png}" style="max-width:100%">')
        return "".join(pictures) or f"<pre>{html.escape(repr(self))}</pre>"

    def __repr__(self) -> str:
        return self._summary("picture")


def _stacked(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """One picture below the other on white, flush left."""
    width = max(upper.shape[1], lower.shape[1])
    sheet = np.full((upper.shape[0] + lower.shape[0], width, 3), 255, np.uint8)
    sheet[: upper.shape[0], : upper.shape[1]] = upper
    sheet[upper.shape[0] :, : lower.shape[1]] = lower
    return sheet


def _as_list(images: ImageLike | Iterable[ImageLike]) -> list[ImageLike]:
    if _is_array(images):
        array = _as_array(images)
        return [_checked(item) for item in array] if array.ndim == 4 else [_checked(array)]
    if isinstance(images, (str, os.PathLike)) or _is_pil(images):
        return [images]
    if isinstance(images, Mapping) or not isinstance(images, Iterable):
        raise TypeError(f"[model] expected paths, PIL images or arrays, got {type(images).__name__}")
    items = list(images)
    return [_checked(_as_array(item)) if _is_array(item) else item for item in items]


def _is_array(image: Any) -> bool:
    return hasattr(image, "__array__") and not _is_pil(image)


def _as_array(image: Any) -> np.ndarray:
    # a torch tensor that records gradients must be detached first
    return np.asarray(image.detach() if hasattr(image, "detach") else image)


def _is_pil(image: Any) -> bool:
    return hasattr(image, "convert") and hasattr(image, "mode")


def _name(image: ImageLike) -> str:
    """What pictures say an image is."""
    if not isinstance(image, (str, bytes, os.PathLike)):
        return "image"
    return os.fsencode(image).decode("utf-8", "replace")  # a file's name may be any bytes


def _is_input(image: Any) -> bool:
    return isinstance(image, np.ndarray) and image.dtype == np.float32


def _checked(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3:
        return array
    if array.dtype == np.float32 and array.ndim == 3:
        return array
    raise ValueError(
        "[model] expected uint8 [height, width, 3] or float32 [3, height, width], got "
        f"{array.dtype} {list(array.shape)}"
    )


def _pixels(image: ImageLike) -> np.ndarray:
    if isinstance(image, (str, os.PathLike)):
        return _core.read_image(pathlib.Path(image))
    if _is_pil(image):
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):  # the high byte, as of files; PIL would clip at 255
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        return np.asarray(image.convert("RGB"))
    if _is_array(image):
        array = _as_array(image)
        if array.dtype == np.uint8:
            return _checked(array)
        raise ValueError(
            f"[model] expected uint8 [height, width, 3], got {array.dtype} {list(array.shape)}"
        )
    raise TypeError(f"[model] expected a path, PIL image or array, got {type(image).__name__}")
