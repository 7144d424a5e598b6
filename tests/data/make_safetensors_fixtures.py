"""Writes python_written.safetensors, which tests/io/safetensors_test.cpp reads.

    python tests/data/make_safetensors_fixtures.py

Needs torch and safetensors. Run it again only to change the fixture.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

ramp = torch.arange(6).reshape(2, 3) * 0.25 - 0.5  # exact in every float type

save_file(
    {
        "block.weight": ramp.float(),
        "block.weight_f16": ramp.half(),
        "block.weight_bf16": ramp.bfloat16(),
        "block.weight_f64": ramp.double(),
        "block.weight_f8": ramp.to(torch.float8_e4m3fn),
        "extremes_f16": torch.tensor([65504.0, -(2.0**-24), float("inf"), float("nan")]).half(),
        "steps": torch.tensor(-(2**40)),
        "mask": torch.tensor([True, False, True]),
        "pixels": torch.arange(5, dtype=torch.uint8),
        "nothing": torch.empty(0, 4),
        "größe/尺寸 \"x\"": torch.tensor([1.5]),
    },
    Path(__file__).with_name("python_written.safetensors"),
    metadata={"note": 'a "quoted"\nline'},  # one key: the package writes several in any order
)
