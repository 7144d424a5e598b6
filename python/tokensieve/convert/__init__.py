"""Turns timm models and checkpoints into tokensieve model folders, and folders into checkpoints.

    python -m tokensieve.convert deit_small_patch16_224 out/ --checkpoint deit_small.pth
    python -m tokensieve.convert dynamicvit.pth out/ --keep 0.7
    python -m tokensieve.convert ltp_base_sst2/ out/ --n-ref 128
    python -m tokensieve.convert --back out/ deit_small.pth

Torch and timm are needed here and nowhere else. Checkpoints are read with `weights_only`: no pickled
code ever runs.
"""

from ._folder import convert, to_checkpoint

__all__ = ["convert", "to_checkpoint"]
