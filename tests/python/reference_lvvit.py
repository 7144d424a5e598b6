"""LV-ViT (arXiv 2104.10858) in plain PyTorch, with the names of its authors' checkpoints.

Shares nothing with tokensieve, so that the two can be compared.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Stem(nn.Module):
    def __init__(self, dim, patch=16, width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.proj = nn.Conv2d(width, dim, patch // 2, stride=patch // 2)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        return self.proj(x)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, skip_lam):
        super().__init__()
        self.skip_lam = skip_lam
        self.norm1 = nn.LayerNorm(dim)  # eps 1e-5
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x):
        x = x + self.attn(self.norm1(x)) / self.skip_lam
        return x + self.mlp(self.norm2(x)) / self.skip_lam


class LvVit(nn.Module):
    """Evaluation only: logits [batch, classes]. The defaults are LV-ViT-S."""

    def __init__(
        self, dim=384, heads=6, depth=16, classes=1000, image=224, skip_lam=2.0, width=64
    ):
        super().__init__()
        self.grid = image // 16
        self.patch_embed = Stem(dim, width=width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid**2, dim))
        self.blocks = nn.ModuleList(Block(dim, heads, 3 * dim, skip_lam) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)
        self.aux_head = nn.Linear(dim, classes)

    def positions(self, height, width):
        if (height, width) == (self.grid, self.grid):
            return self.pos_embed
        grid = self.pos_embed[:, 1:].unflatten(1, (self.grid, self.grid)).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, (height, width), mode="bicubic", antialias=True)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def embed(self, pixels):
        x = self.patch_embed(pixels)
        height, width = x.shape[2:]
        x = x.flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.positions(height, width)

    def classify(self, x):
        x = self.norm(x)
        return self.head(x[:, 0]) + 0.5 * self.aux_head(x[:, 1:]).amax(1)

    def forward(self, pixels):
        x = self.embed(pixels)
        for block in self.blocks:
            x = block(x)
        return self.classify(x)


def random_lvvit(seed=0, **sizes):
    """A network whose every parameter, and the running statistics, matter."""
    network = LvVit(**sizes).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            if name.endswith("num_batches_tracked"):
                value.fill_(12345)
            elif name.endswith("running_var"):
                value.uniform_(0.3, 3, generator=generator)
            elif name.endswith("running_mean"):
                value.normal_(0, 0.3, generator=generator)
            elif ("norm" in name or ".bn" in name) and name.endswith("weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith("bias"):
                value.normal_(0, 0.1, generator=generator)
            elif name.endswith("weight"):
                gain = 1.5 if "qkv" in name or "patch_embed" in name else 0.8
                value.normal_(0, gain * value[0].numel() ** -0.5, generator=generator)
            else:  # tokens and positions
                value.normal_(0, 0.5, generator=generator)
    return network


@torch.inference_mode()
def centered(network, predictors, pixels, sites=(4, 8, 12)):
    """Predictors that would keep half of a dense image: sure of all patches, float32 only ties."""
    x = network.embed(pixels)
    for layer, block in enumerate(network.blocks):
        if layer in sites:
            predictor = predictors[sites.index(layer)]
            log_pi = predictor(x[:, 1:], torch.ones(1, x.shape[1] - 1, 1))
            predictor.out_conv[4].bias[0] -= (log_pi[..., 0] - log_pi[..., 1]).median()
        x = block(x)
    return predictors


@torch.inference_mode()
def dynamic_lvvit(network, predictors, pixels, keep, sites=(4, 8, 12)):
    """DynamicViT on one image: logits [1, classes], and for each site the patches kept and how far
    the closest score was from being decided otherwise."""
    x = network.embed(pixels[None])
    patches = x.shape[1] - 1
    patch_of = torch.arange(patches)
    selected = []
    for layer, block in enumerate(network.blocks):
        if layer in sites:
            site = sites.index(layer)
            log_pi = predictors[site](x[:, 1:], torch.ones(1, len(patch_of), 1))[0, :, 0]
            count = int(patches * keep ** (site + 1))
            order = log_pi.argsort(descending=True, stable=True)
            margin = (log_pi[order[count - 1]] - log_pi[order[count]]).item()
            kept = order[:count]
            x = torch.cat([x[:, :1], x[:, 1 + kept]], 1)
            patch_of = patch_of[kept]
            selected.append((sorted(patch_of.tolist()), margin))
        x = block(x)
    return network.classify(x), selected
