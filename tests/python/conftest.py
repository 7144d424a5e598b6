"""What the tests share: networks of timm with random weights, and pictures."""

import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may download anything

import torchvision_shim  # noqa: F401  before timm
import pytest
import timm
import tokensieve as ts
import torch
from tiny_model import write_image_folder, write_tiny_model
from training import place  # noqa: F401  a fixture

THREADS = 2
ROOT = pathlib.Path(__file__).parents[2]
torch.set_num_threads(THREADS)


def random_timm(name, seed=0, **options):
    """A timm network whose random weights are large enough that attention and biases matter.

    Not larger: with sharper attention float32 itself, PyTorch's too, is 1e-4 away from float64.
    """
    network = timm.create_model(name, pretrained=False, weight_init="skip", **options).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in network.named_parameters():
            if "gamma" in key:  # layer scales start at 1e-5, which would hide the blocks
                value.uniform_(0.3, 1.2, generator=generator)
            elif "norm" in key and key.endswith("weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            elif key.endswith("bias"):
                value.normal_(0, 0.1, generator=generator)
            elif key.endswith("weight"):
                gain = 1.5 if "qkv" in key or "patch_embed" in key else 0.8
                value.normal_(0, gain * value[0].numel() ** -0.5, generator=generator)
            else:  # tokens and positions
                value.normal_(0, 0.5, generator=generator)
    return network


def random_pixels(batch, height, width=None, seed=0):
    """Normalised pixels, float32 [batch, 3, height, width], as a torch tensor."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 3, height, width or height, generator=generator)


@pytest.fixture(scope="session")
def pictures():
    """The photos that come with the project."""
    found = sorted((ROOT / "demos" / "images").glob("*.jpg"))
    assert found
    return found


@pytest.fixture(scope="session")
def deit_small(tmp_path_factory):
    """DeiT-S with random weights: timm's network, and ours with two threads."""
    network = random_timm("deit_small_patch16_224")
    folder = tmp_path_factory.mktemp("models") / "deit_small"
    ts.convert(network, folder)
    return network, ts.load(folder, threads=THREADS)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny", recipe="evit(keep=0.5, fuse)")


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """A model of a few hundred kilobytes with three classes and a recipe of its own."""
    return ts.load(tiny_folder, threads=THREADS)


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    return write_image_folder(tmp_path_factory.mktemp("data"))
