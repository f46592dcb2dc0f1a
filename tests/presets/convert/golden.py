"""Writes golden/: features of the real modules of torchvision, timm and lightly.

    pip install torchvision timm lightly && python tests/presets/convert/golden.py

Each file has the features of three images, in inference mode, and the name and shape of every
tensor; the weights follow from these (`weights.py`). Images are normalised as ImageNet's.
"""

import json
import pathlib

import lightly
import numpy as np
import timm
import torch
import torchvision
from lightly.models import ResNetGenerator
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from weights import images, weights

FOLDER = pathlib.Path(__file__).parent / "golden"
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
VERSIONS = {p.__name__: p.__version__ for p in (torch, torchvision, timm, lightly)}


def narrow(module, factor=16):
    """The same network with a sixteenth of the channels."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            new = nn.Conv2d(
                3 if child.in_channels == 3 else child.in_channels // factor,
                child.out_channels // factor,
                child.kernel_size,
                child.stride,
                child.padding,
                bias=False,
            )
            setattr(module, name, new)
        elif isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.BatchNorm2d(child.num_features // factor))
        else:
            narrow(child, factor)
    return module


def resnet(name, factor=16):
    network = getattr(torchvision.models, name)()
    network.fc = nn.Identity()
    return narrow(network, factor) if factor > 1 else network


def solo_learn():
    """What solo-learn makes of a ResNet-18 for CIFAR-10."""
    network = torchvision.models.resnet18()
    network.fc = network.maxpool = nn.Identity()
    network.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=2, bias=False)
    return narrow(network)


def lightly_small():
    """lightly's own ResNet as its CIFAR-10 examples use it: without a rectifier in the stem."""
    children = list(ResNetGenerator("resnet-18", width=1 / 16).children())[:-1]
    return nn.Sequential(*children, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def lightly_large():
    children = list(narrow(torchvision.models.resnet18()).children())[:-1]
    return nn.Sequential(*children, nn.Flatten())


class Small(nn.Module):
    """SupContrast's ResNet-18, whose names and blocks are those of lightly's."""

    def __init__(self):
        super().__init__()
        network = ResNetGenerator("resnet-18", width=1 / 16)
        self.conv1, self.bn1 = network.conv1, network.bn1
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))


def small_vit():
    return VisionTransformer(64, 16, embed_dim=48, depth=2, num_heads=3, num_classes=0)


CASES = {
    "resnet18": lambda: resnet("resnet18"),
    "resnet34": lambda: resnet("resnet34"),
    "resnet50": lambda: resnet("resnet50"),
    "resnet18_solo_learn": solo_learn,
    "resnet18_lightly": lightly_large,
    "resnet18_lightly_small": lightly_small,
    "resnet18_supcontrast": Small,
    "vit": small_vit,
    "full_torchvision_resnet50": lambda: resnet("resnet50", 1),
    "full_timm_resnet50": lambda: timm.create_model("resnet50", num_classes=0),
    "full_timm_vit_small": lambda: timm.create_model(
        "vit_small_patch16_224", img_size=64, num_classes=0
    ),
}


def features(network):
    shapes = {k: list(v.shape) for k, v in network.state_dict().items() if v.ndim}
    made = {name: torch.from_numpy(array) for name, array in weights(shapes).items()}
    missing = network.load_state_dict(made, strict=False)
    assert all(k.endswith("num_batches_tracked") for k in missing.missing_keys), missing
    batch = ((images() - MEAN) / STD).transpose(0, 3, 1, 2)
    with torch.no_grad():
        return shapes, network.eval()(torch.from_numpy(batch).float()).numpy()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in CASES.items():
        shapes, expected = features(make())
        print(name, len(shapes), expected.shape, expected.std())
        np.savez_compressed(
            FOLDER / f"{name}.npz",
            features=expected,
            shapes=json.dumps(shapes),
            versions=json.dumps(VERSIONS),
        )
