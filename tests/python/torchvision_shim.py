"""Lets timm import a torchvision whose compiled operators do not match the installed torch.

timm only needs torchvision's pure Python parts (transforms, FrozenBatchNorm2d), but importing
torchvision fails when its operators were not built for this torch. Declaring their names first is
enough. Import this module before timm; it does nothing where torchvision imports as it is.
"""

import importlib.util
import pathlib
import re

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    _package = pathlib.Path(importlib.util.find_spec("torchvision").origin).parent
    _source = (_package / "_meta_registrations.py").read_text()
    _library = torch.library.Library("torchvision", "DEF")
    for _name in sorted(set(re.findall(r'register_(?:fake\("torchvision::|meta\(")(\w+)"', _source))):
        _library.define(f"{_name}(Tensor x) -> Tensor")
    import torchvision  # noqa: F401
