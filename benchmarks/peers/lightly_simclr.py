"""lightly's SimCLR on CIFAR-10, as fast as it runs on a CPU; a worker of `quality.py`.

Runs in an environment of its own (pip install torch torchvision lightly). The network is that of
`keras_contrastive.encoders.small_resnet`; transform, head and loss are lightly's, at the settings
of its CIFAR-10 benchmark; channels-last memory, bfloat16, two loading processes.
"""

import argparse
import json
import resource
import time

import lightly
import numpy as np
import torch
import torchvision
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from PIL import Image
from torch import nn
from torchvision.transforms.functional import normalize

BATCH_SIZE = 256
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def small_resnet():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        Block(32, 32, 1),
        Block(32, 64, 2),
        Block(64, 128, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


class Pairs(torch.utils.data.Dataset):
    def __init__(self, images):
        self.images = images
        self.transform = SimCLRTransform(input_size=32, cj_strength=0.5, gaussian_blur=0.0)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.images[i]))


def train(images, seconds, seed):
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # two threads beside two loading processes are a third slower
    backbone = small_resnet().to(memory_format=torch.channels_last)
    head = SimCLRProjectionHead(128, 128, 128)
    criterion = NTXentLoss(temperature=0.5)
    parameters = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(
        parameters, lr=0.06 * BATCH_SIZE / 128, momentum=0.9, weight_decay=5e-4
    )
    loader = torch.utils.data.DataLoader(
        Pairs(images),
        BATCH_SIZE,
        shuffle=True,
        drop_last=True,
        num_workers=2,
        persistent_workers=True,
    )
    started = time.perf_counter()
    epoch = 0
    while True:
        # The decay follows the clock, so that it ends with the budget whatever the speed.
        for views in loader:
            spent = (time.perf_counter() - started) / seconds
            for group in optimizer.param_groups:
                rate = 0.5 * (1 + np.cos(np.pi * min(spent, 1)))
                group["lr"] = 0.06 * BATCH_SIZE / 128 * rate
            both = torch.cat(views[:2]).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                projections = head(backbone(both))
            loss = criterion(*projections.float().chunk(2))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if time.perf_counter() - started >= seconds:
                return backbone, epoch, time.perf_counter() - started, float(loss)
            epoch += 1 / len(loader)
        epoch = round(epoch)


@torch.no_grad()
def embed(backbone, images):
    backbone.eval()
    features = []
    for start in range(0, len(images), 1000):
        x = torch.from_numpy(images[start : start + 1000]).permute(0, 3, 1, 2).float() / 255
        features.append(backbone(normalize(x, MEAN, STD)).numpy())
    return np.concatenate(features)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("output")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data = np.load(args.data)
    backbone, epochs, seconds, loss = train(data["train_images"], args.seconds, args.seed)
    pairs = epochs * (len(data["train_images"]) // BATCH_SIZE) * BATCH_SIZE
    facts = {
        "epochs": round(epochs, 2),
        "seconds": round(seconds, 1),
        "seconds_per_epoch": round(seconds / epochs, 2),
        "pairs_per_second": round(pairs / seconds, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "last_loss": loss,
        "weights": sum(p.numel() for p in backbone.parameters()),
        "setting": "SGD 0.06 * 256 / 128, cosine, weight decay 5e-4, temperature 0.5, bfloat16",
        "versions": {
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "lightly": lightly.__version__,
        },
    }
    np.savez(
        args.output,
        train=embed(backbone, data["train_images"]),
        test=embed(backbone, data["test_images"]),
        facts=json.dumps(facts),
    )


if __name__ == "__main__":
    main()
