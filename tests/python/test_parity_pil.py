"""Decoding, resizing and cropping equal PIL's and timm's to the last bit.

TOKENSIEVE_DATA may name a folder with imagenette-160.tar and imagenet-samples.tar, pictures of which
are compared too.
"""

import io
import json
import os
import pathlib
import tarfile

import numpy as np
import pytest
import timm.data
import tokensieve as ts
import torch
from PIL import Image, ImageOps
from tiny_model import write_picture, write_tiny_model
from tokensieve import _tokensieve as core
from torchvision.transforms import functional

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def assert_equals_pil(path, target):
    picture = Image.open(path).convert("RGB")
    ours = core.read_image(path, apply_orientation=False)
    assert np.array_equal(ours, np.asarray(picture)), path
    width, height = target
    for name, resample in FILTERS.items():
        resized = core.resize(ours, width, height, name)
        assert np.array_equal(resized, np.asarray(picture.resize(target, resample))), (path, name)
    side = 96
    cropped = core.center_crop(resized, side, side)
    expected = functional.center_crop(Image.fromarray(resized), [side, side])
    assert np.array_equal(cropped, np.asarray(expected)), path


@pytest.mark.parametrize("target", [(224, 224), (97, 131), (300, 101)])
def test_the_projects_photos_equal_pil(pictures, target):
    for path in pictures:
        assert_equals_pil(path, target)


@pytest.mark.parametrize("archive, count", [("imagenette-160.tar", 200), ("imagenet-samples.tar", 100)])
def test_photos_of_an_archive_equal_pil(archive, count, tmp_path):
    folder = os.environ.get("TOKENSIEVE_DATA")
    if not folder or not (pathlib.Path(folder) / archive).exists():
        pytest.skip(f"TOKENSIEVE_DATA names no folder with {archive}")
    with tarfile.open(pathlib.Path(folder) / archive) as tar:
        members = tar.getmembers()
        for member in members[:: max(len(members) // count, 1)]:
            path = tmp_path / "photo.jpg"
            path.write_bytes(tar.extractfile(member).read())
            assert_equals_pil(path, (171, 128))


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "jpg"])
def test_other_formats_equal_pil(suffix, tmp_path):
    path = write_picture(tmp_path / f"picture.{suffix}", seed=3)
    assert np.array_equal(core.read_image(path), np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA"])
def test_other_modes_equal_pil(mode, tmp_path):
    path = tmp_path / "picture.png"
    Image.open(write_picture(tmp_path / "rgb.png")).convert(mode).save(path)
    assert np.array_equal(core.read_image(path), np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_equals_pil_and_a_pil_image_is_turned_as_its_file(tiny, orientation, tmp_path):
    picture = Image.open(write_picture(tmp_path / "upright.png", size=(90, 60)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    picture.save(path, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert np.array_equal(core.read_image(path), expected)
    assert np.array_equal(tiny.preprocess(path), tiny.preprocess(Image.open(path)))


TRANSFORMS = {
    "deit": {"input_size": [3, 224, 224], "crop_pct": 0.9, "interpolation": "bicubic"},
    "whole": {"input_size": [3, 140, 140], "crop_pct": 1.0, "interpolation": "bicubic"},
    "bilinear": {"input_size": [3, 98, 98], "crop_pct": 0.875, "interpolation": "bilinear"},
    "squash": {"input_size": [3, 112, 112], "crop_pct": 0.95, "crop_mode": "squash"},
    "border": {"input_size": [3, 112, 112], "crop_pct": 1.0, "crop_mode": "border"},
    "oblong": {"input_size": [3, 112, 168], "crop_pct": 0.9, "interpolation": "bicubic"},
}


@pytest.mark.parametrize("case", TRANSFORMS)
def test_preprocessing_equals_timms_bit_for_bit(case, pictures, tmp_path):
    how = {
        "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "crop_mode": "center",
    } | TRANSFORMS[case]
    folder = write_tiny_model(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["pretrained_cfg"] = how
    (folder / "config.json").write_text(json.dumps(config))
    model = ts.load(folder)
    transform = timm.data.create_transform(**how | {"input_size": tuple(how["input_size"])})
    for path in pictures:
        expected = transform(Image.open(path).convert("RGB"))
        assert torch.equal(torch.from_numpy(model.preprocess(path)), expected), path


def test_damaged_pictures_are_refused_by_name(tiny, tmp_path):
    buffer = io.BytesIO()
    Image.open(write_picture(tmp_path / "whole.png", size=(300, 200))).save(buffer, "JPEG")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(RuntimeError, match="cut.jpg"):
        tiny(cut)
    with pytest.raises(RuntimeError, match="missing.jpg"):
        tiny(tmp_path / "missing.jpg")
