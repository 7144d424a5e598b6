"""Masked heads in `tokensieve-train`, and which heads to mask."""

import json
import math
import subprocess

import numpy as np
import tokensieve as ts
from PIL import Image
from safetensors.numpy import load_file
from training import CONFIG, PROGRAM, needs_program, run

pytestmark = needs_program


def test_masked_heads_are_trained_and_stored(place):
    masks = {"heads": [[0, 1], [1]] + 8 * [[]], "kind": "multiplicative"}
    config = CONFIG | {"method": {"name": "dense"}, "attention_masks": masks, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out")
    assert done.returncode == 0, done.stderr
    stored = json.loads((place / "out" / "model" / "config.json").read_text())["tokensieve"]
    assert stored["attention_masks"]["heads"] == masks["heads"]
    picture = place / "data" / "green" / "0.png"
    plain = json.loads((place / "out" / "model" / "config.json").read_text())
    masked = ts.load(place / "out" / "model")(picture).logits
    del plain["tokensieve"]["attention_masks"]
    (place / "out" / "model" / "config.json").write_text(json.dumps(plain))
    assert np.abs(masked - ts.load(place / "out" / "model")(picture).logits).max() > 1e-4


def locality_by_hand(folder, pixels):
    """Attention locality of a folder without masks, [blocks, heads], by numpy alone."""
    w = load_file(folder / "model.safetensors")

    def norm(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)

    patches = pixels.reshape(len(pixels), 3, 4, 14, 4, 14).transpose(0, 2, 4, 1, 3, 5).reshape(len(pixels), 16, -1)
    x = patches @ w["patch_embed.proj.weight"].reshape(64, -1).T + w["patch_embed.proj.bias"]
    x = np.concatenate([np.broadcast_to(w["cls_token"], (len(pixels), 1, 64)), x], 1) + w["pos_embed"]
    place = np.arange(16)
    down, across = (np.abs(line[:, None] - line) for line in (place // 4, place % 4))
    near = np.ones((17, 17))
    near[1:, 1:] = np.maximum(down, across) <= 1
    found = []
    for block in range(10):
        name = f"blocks.{block}."
        qkv = norm(x) @ w[name + "attn.qkv.weight"].T + w[name + "attn.qkv.bias"]
        q, k, v = qkv.reshape(len(pixels), 17, 3, 2, 32).transpose(2, 0, 3, 1, 4)
        logits = q @ k.swapaxes(-1, -2) / np.sqrt(32)
        attention = np.exp(logits - logits.max(-1, keepdims=True))
        attention /= attention.sum(-1, keepdims=True)
        found.append((attention * near).sum(-1).mean((0, 2)))
        y = (attention @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = x + y @ w[name + "attn.proj.weight"].T + w[name + "attn.proj.bias"]
        y = norm(x) @ w[name + "mlp.fc1.weight"].T + w[name + "mlp.fc1.bias"]
        y = 0.5 * y * (1 + np.vectorize(math.erf)(y / math.sqrt(2)))
        x = x + y @ w[name + "mlp.fc2.weight"].T + w[name + "mlp.fc2.bias"]
    return np.array(found)


def test_attention_locality_says_what_to_mask(place):
    command = [PROGRAM, "attention-locality", place / "data" / "green", "--model", place / "start"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    model = ts.load(place / "start")
    pictures = sorted((place / "data" / "green").glob("*.png"))
    pixels = np.stack([model.preprocess(np.asarray(Image.open(path))) for path in pictures])
    assert np.abs(np.array(found["attention_locality"]) - locality_by_hand(place / "start", pixels)).max() < 1e-4
    assert found["masked"] == [] and found["attention_masks"]["heads"] == 10 * [[0]]

    # What is printed can be pasted into a config, and is trained.
    masks = found["attention_masks"]
    config = CONFIG | {"method": {"name": "dense"}, "attention_masks": masks, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    assert run(place, "out").returncode == 0
    command[-1] = place / "out" / "model"
    text = subprocess.run([*command, "--all", "0", "--none", "0"], capture_output=True, text=True).stdout
    assert text.count("*") == 11  # a head in each of ten blocks, and the legend
    pasted = json.loads("{" + text.splitlines()[-1] + "}")["attention_masks"]
    assert pasted["heads"] == 10 * [[0, 1]]

    for more, message in [
        (["--rows", "300"], "0 to 255"),
        (["--all", "2"], "--all"),
        (["--modle", "x"], "did you mean"),
    ]:
        command[-1] = place / "start"
        done = subprocess.run([*command, *more], capture_output=True, text=True)
        assert done.returncode == 2 and message in done.stderr, done.stderr
    done = subprocess.run([*command[:2], place / "none", *command[3:]], capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
