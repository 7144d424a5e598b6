"""tokensieve: vision and text transformers that drop the tokens they do not need, on CPUs.

    import tokensieve as ts

    model = ts.load("weights/vit_s14_imagenette")
    result = model("photo.jpg", keep=0.7)
    result.labels            # ['golf ball']
    result.kept[0]           # indices of the patches that stayed to the end
    result.macs              # multiply-accumulates of each image
"""

from ._tokensieve import (
    Choice,
    Recipe,
    RetentionTrace,
    SiteTrace,
    Tokenizer,
    Tokens,
    open_tokenizer,
    recipe_words,
)
from .convert import convert, to_checkpoint
from .evaluate import Table, evaluate
from .model import Model, Result, load
from .text import TextModel, TextResult

__all__ = [
    "Choice",
    "Model",
    "Recipe",
    "Result",
    "RetentionTrace",
    "SiteTrace",
    "Table",
    "TextModel",
    "TextResult",
    "Tokenizer",
    "Tokens",
    "convert",
    "evaluate",
    "load",
    "open_tokenizer",
    "recipe_words",
    "to_checkpoint",
]
