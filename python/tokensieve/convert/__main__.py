"""The command `python -m tokensieve.convert`."""

from __future__ import annotations

import argparse
import pathlib
import sys

from . import convert, to_checkpoint


def main(arguments: list[str] | None = None) -> None:
    """Converts as the command line says; exits with 1 and one line when that fails."""
    parser = argparse.ArgumentParser(
        prog="python -m tokensieve.convert",
        description="Turns a timm model or a checkpoint into a tokensieve model folder.",
        epilog="example: python -m tokensieve.convert deit_small_patch16_224 out/deit_s "
        "--checkpoint deit_small_patch16_224.pth --recipe 'evit(keep=0.7, fuse)'",
    )
    parser.add_argument(
        "model",
        help="timm's name of the architecture, lvvit_t, _s, _m or _l, a checkpoint whose tensors tell it, "
        "or a folder of LTP's authors",
    )
    parser.add_argument("folder", help="model folder to write; must not exist")
    parser.add_argument(
        "--back",
        action="store_true",
        help="the other way: MODEL is a model folder, FOLDER the .pth checkpoint to write",
    )
    parser.add_argument("--checkpoint", help=".safetensors or .pth file with the weights")
    parser.add_argument("--ema", action="store_true", help="take the averaged weights of the file")
    parser.add_argument("--dtype", default="f32", help="f32 (default) or bf16")
    parser.add_argument("--labels", help="text file, one label a line")
    parser.add_argument("--recipe", help="default recipe of the folder")
    parser.add_argument("--keep", type=float, help="keep rate of the default recipe, such as 0.7")
    parser.add_argument(
        "--n-ref", type=int, default=128, help="length that an LTP network's texts were padded to (default 128)"
    )
    options = parser.parse_args(arguments)
    labels = None
    try:
        if options.back:
            others = ("checkpoint", "ema", "dtype", "labels", "recipe", "keep", "n_ref")
            if any(getattr(options, name) != parser.get_default(name) for name in others):
                parser.error("--back takes no other option")
            to_checkpoint(options.model, options.folder)
            return
        if options.labels:
            labels = pathlib.Path(options.labels).read_text(encoding="utf-8").splitlines()
        convert(
            options.model,
            options.folder,
            checkpoint=options.checkpoint,
            dtype=options.dtype,
            labels=labels,
            recipe=options.recipe,
            keep=options.keep,
            ema=options.ema,
            n_ref=options.n_ref,
        )
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"tokensieve: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f"tokensieve: {error}; pip install 'tokensieve[convert]'")


if __name__ == "__main__":
    main()
