"""tokensieve: vision transformers that drop the tokens they do not need, on CPUs.

    import tokensieve as ts

    model = ts.load("weights/vit_s14_imagenette")
    result = model("photo.jpg", keep=0.7)
    result.labels            # ['golf ball']
    result.kept[0]           # indices of the patches that stayed to the end
    result.macs              # multiply-accumulates of each image
"""

from ._tokensieve import Choice, Recipe, RetentionTrace, SiteTrace, recipe_words
from .convert import convert, to_checkpoint
from .evaluate import Table, evaluate
from .model import Model, Result, load

__all__ = [
    "Choice",
    "Model",
    "Recipe",
    "Result",
    "RetentionTrace",
    "SiteTrace",
    "Table",
    "convert",
    "evaluate",
    "load",
    "recipe_words",
    "to_checkpoint",
]
