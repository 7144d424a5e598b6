"""Reading checkpoint files without running what is in them."""

from __future__ import annotations

import argparse
import os
import pathlib
import pickle
from dataclasses import dataclass, field
from typing import Any

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")


@dataclass
class Checkpoint:
    """What a file holds of a network."""

    path: pathlib.Path
    state: dict[str, Any]  #: Tensors by name.
    arguments: dict[str, Any] = field(default_factory=dict)  #: Of the training run, if it says.


def read_checkpoint(path: str | os.PathLike[str], *, ema: bool = False) -> Checkpoint:
    """Reads a `.safetensors` file, or a `.pth` file of tensors, by `weights_only`.

    The state may be the file itself or lie under `model`, `model_ema` or `state_dict`, as training
    programs write it; with `ema` it must lie under `model_ema`. Raises OSError for a file that is not
    there and RuntimeError for one that holds no tensors, or something that may run code.
    """
    file = pathlib.Path(path)
    with open(file, "rb"):  # says best what is wrong with a file that cannot be opened
        pass
    content = _load_safetensors(file) if file.suffix == ".safetensors" else _load_pickle(file)
    keys = ["model_ema"] if ema else ["model", "model_ema", "state_dict"]
    key = next((key for key in keys if isinstance(content.get(key), dict)), None)
    if ema and key is None:
        raise RuntimeError(f"[convert] {file}: expected averaged weights under 'model_ema', got none")
    state = content if key is None else content[key]
    if not state or not all(_is_tensor(value) for value in state.values()):
        raise RuntimeError(f"[convert] {file}: expected a state dict of tensors, got other values")
    if all(name.startswith("module.") for name in state):  # of a model trained in parallel
        state = {name.removeprefix("module."): value for name, value in state.items()}
    arguments = content.get("args", {})
    if isinstance(arguments, argparse.Namespace):
        arguments = vars(arguments)
    return Checkpoint(file, dict(state), arguments if isinstance(arguments, dict) else {})


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _load_safetensors(file: pathlib.Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except SafetensorError as error:
        raise RuntimeError(f"[convert] {file}: expected a safetensors file; {error}") from error


def _load_pickle(file: pathlib.Path) -> dict[str, Any]:
    import torch

    try:
        # Training programs store their options beside the state; a Namespace holds values only.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RuntimeError(
            f"[convert] {file}: refused, since it holds more than tensors and reading it could run "
            f"code, or it is no checkpoint; save the state dict alone: {str(error).splitlines()[0]}"
        ) from error
    except (EOFError, RuntimeError, KeyError, ValueError, IndexError, AttributeError) as error:
        raise RuntimeError(f"[convert] {file}: expected a checkpoint of torch; {error}") from error
    if not isinstance(content, dict):
        raise RuntimeError(
            f"[convert] {file}: expected a dict of tensors, got {type(content).__name__}"
        )
    return content
