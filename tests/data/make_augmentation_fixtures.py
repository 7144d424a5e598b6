"""Makes augmentation/photo.png and augmentation/expected.txt: what PIL and timm make of pictures.

Needs pillow, torch, torchvision and timm. Run it again only to add a fixture:
    python tests/data/make_augmentation_fixtures.py

Lines of expected.txt (the hash is FNV-1a 64 of the RGB bytes; files are in images/ or augmentation/):
    operation <file> <timm's name> <magnitude> <0 or 1: negative> <filter> <hash>
    adjust    <file> <PIL's enhancer> <factor> <hash>
    flip      <file> <hash>
"""

import pathlib
import sys

from PIL import Image, ImageEnhance, ImageOps

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "augmentation"
sys.path.insert(0, str(HERE.parent / "python"))
import torchvision_shim  # noqa: E402, F401
import timm.data.auto_augment as timm_ops  # noqa: E402

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
FILL = (124, 116, 104)
MOVING = ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")
PICTURES = ("photo.png", "rgb.png", "gray_2bit.png", "tiny.png")


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def make_photo() -> None:
    photo = Image.open(HERE.parents[1] / "demos" / "images" / "church.jpg").convert("RGB")
    side = min(photo.size)
    photo.crop((0, 0, side, side * 3 // 4)).resize((96, 72)).save(FOLDER / "photo.png")


def operation(picture: Image.Image, name: str, magnitude: float, negative: bool, filter: str) -> str:
    timm_ops._randomly_negate = lambda value: -value if negative else value
    hparams = {"img_mean": FILL, "interpolation": FILTERS[filter]}
    op = timm_ops.AugmentOp(name, prob=1.0, magnitude=magnitude, hparams=hparams)
    return fnv1a(op(picture).tobytes())


def lines_of(file: str):
    folder = FOLDER if file == "photo.png" else HERE / "images"
    picture = Image.open(folder / file).convert("RGB")
    for name in timm_ops._RAND_INCREASING_TRANSFORMS:
        for magnitude in (0.0, 3.7, 9.0, 9.31, 10.0):
            if name == "PosterizeIncreasing" and magnitude == 10:
                continue  # black since ever, an error since Pillow 13
            for negative in (False, True):
                for filter in FILTERS if name in MOVING else ("bicubic",):
                    value = operation(picture, name, magnitude, negative, filter)
                    yield f"operation {file} {name} {magnitude} {int(negative)} {filter} {value}"
    for enhancer in ("Brightness", "Contrast", "Color", "Sharpness"):
        for factor in (0.0, 0.6, 0.873, 1.0, 1.4, 3.0):
            value = fnv1a(getattr(ImageEnhance, enhancer)(picture).enhance(factor).tobytes())
            yield f"adjust {file} {enhancer} {factor} {value}"
    yield f"flip {file} {fnv1a(ImageOps.mirror(picture).tobytes())}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    make_photo()
    lines = [line for file in PICTURES for line in lines_of(file)]
    (FOLDER / "expected.txt").write_text("\n".join(lines) + "\n")
