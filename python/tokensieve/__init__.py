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
    TextDataset,
    Tokenizer,
    Tokens,
    __version__,
    open_tokenizer,
    read_text_dataset,
    recipe_words,
)
from .calibrate import calibrate
from .convert import convert, to_checkpoint
from .evaluate import evaluate
from .model import Model, Result, load
from .table import Bucket, Row, Speed, Table
from .text import TextModel, TextResult

__all__ = [
    "Bucket",
    "Choice",
    "Model",
    "Recipe",
    "Result",
    "RetentionTrace",
    "Row",
    "SiteTrace",
    "Speed",
    "Table",
    "TextDataset",
    "TextModel",
    "TextResult",
    "Tokenizer",
    "Tokens",
    "__version__",
    "calibrate",
    "convert",
    "evaluate",
    "load",
    "open_tokenizer",
    "read_text_dataset",
    "recipe_words",
    "to_checkpoint",
]
