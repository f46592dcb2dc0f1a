"""lightly's methods on CIFAR-10, as fast as they run on a CPU; a worker of `quality.py`.

Runs in an environment of its own (pip install torch torchvision lightly). The network is that of
`keras_contrastive.encoders.small_resnet`; transforms, heads and losses are lightly's, at the
settings of its CIFAR-10 benchmark; channels-last memory, bfloat16, two loading processes. VICReg
and TiCo are not in that benchmark and take the settings of lightly's Imagenette one, MMCR those of
lightly's CIFAR-10 example. Head widths that are the network's feature width there are so here.
"""

import argparse
import copy
import json
import math
import resource
import time

import lightly
import numpy as np
import torch
import torchvision
from lightly import loss as losses
from lightly import transforms
from lightly.models import utils
from lightly.models.modules import heads
from lightly.models.modules.nn_memory_bank import NNMemoryBankModule
from lightly.transforms.byol_transform import BYOLView1Transform, BYOLView2Transform
from lightly.utils.lars import LARS
from PIL import Image
from torch import nn
from torchvision.transforms.functional import normalize

BATCH_SIZE = 256
SIZE = 32
FEATURES = 128
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
        Block(64, FEATURES, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).to(memory_format=torch.channels_last)


def simclr_transform():
    return transforms.SimCLRTransform(input_size=SIZE, cj_strength=0.5, gaussian_blur=0.0)


def byol_transform():
    return transforms.BYOLTransform(
        BYOLView1Transform(input_size=SIZE, gaussian_blur=0.0),
        BYOLView2Transform(input_size=SIZE, gaussian_blur=0.0),
    )


def two_layers(hidden, outputs, batch_norm=None):
    """The projection head with one hidden layer that lightly builds for CIFAR-10."""
    hidden_block = (FEATURES, hidden, nn.BatchNorm1d(hidden), nn.ReLU())
    return heads.ProjectionHead([hidden_block, (hidden, outputs, batch_norm, None)])


class Method(nn.Module):
    """A network with its loss; a subclass sets `head` and computes the loss of views."""

    setting = "SGD 0.06 * 256 / 128, cosine, weight decay 5e-4"
    learning_rate = 0.06 * BATCH_SIZE / 128
    weight_decay = 5e-4
    warmup = 0.0  # share of the time
    make_transform = staticmethod(simclr_transform)

    def __init__(self):
        super().__init__()
        self.backbone = small_resnet()

    def optimizer(self, parameters):
        return torch.optim.SGD(
            parameters, lr=self.learning_rate, momentum=0.9, weight_decay=self.weight_decay
        )

    def rate(self, spent):
        """The learning rate follows the clock, so that it ends with the budget at any speed."""
        if spent < self.warmup:
            return self.learning_rate * spent / self.warmup
        spent = (spent - self.warmup) / (1 - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(spent, 1)))

    def run(self, images, *networks):
        """Images through backbone and head in bfloat16; float32 goes to the loss."""
        x = images.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            for network in networks or (self.backbone, self.head):
                x = network(x)
            return x.float()

    def loss(self, views, spent):
        raise NotImplementedError


class SimCLR(Method):
    setting = f"{Method.setting}, temperature 0.5"

    def __init__(self):
        super().__init__()
        self.head = heads.SimCLRProjectionHead(FEATURES, FEATURES, 128)
        self.criterion = losses.NTXentLoss(temperature=0.5)

    def loss(self, views, spent):
        return self.criterion(*self.run(torch.cat(views)).chunk(2))


class DCL(SimCLR):
    setting = f"{Method.setting}, temperature 0.1"

    def __init__(self):
        super().__init__()
        self.criterion = losses.DCLLoss(temperature=0.1)


class BarlowTwins(Method):
    setting = f"{Method.setting}, head 2048-2048, lambda 0.005"
    make_transform = staticmethod(byol_transform)

    def __init__(self):
        super().__init__()
        self.head = two_layers(2048, 2048)
        self.criterion = losses.BarlowTwinsLoss()

    def loss(self, views, spent):
        return self.criterion(*map(self.run, views))


class VICReg(Method):
    setting = "LARS 0.3, 10 % warm-up, cosine, weight decay 1e-4, head 2048-2048-2048"
    learning_rate = 0.3 * BATCH_SIZE / 256
    warmup = 0.1
    weight_decay = 1e-4

    def __init__(self):
        super().__init__()
        self.head = heads.BarlowTwinsProjectionHead(FEATURES, 2048, 2048)
        self.criterion = losses.VICRegLoss()

    @staticmethod
    def make_transform():
        return transforms.VICRegTransform(input_size=SIZE, cj_strength=0.5, gaussian_blur=0.0)

    def optimizer(self, parameters):
        return LARS(parameters, lr=self.learning_rate, momentum=0.9, weight_decay=self.weight_decay)

    def loss(self, views, spent):
        return self.criterion(*map(self.run, views))


class Siamese(Method):
    """A method whose predictor maps a projection to the target of the other view."""

    def loss(self, views, spent):
        z0, z1 = map(self.run, views)
        with torch.autocast("cpu", torch.bfloat16):
            p0, p1 = (self.predictor(z).float() for z in (z0, z1))
        z0, z1 = self.targets(z0.detach(), z1.detach())
        return 0.5 * (self.criterion(z0, p1) + self.criterion(z1, p0))

    def targets(self, z0, z1):
        return z0, z1


class SimSiam(Siamese):
    setting = "SGD 0.06, cosine, weight decay 5e-4, heads 2048-2048 and 512-2048"
    learning_rate = 0.06  # not scaled with the batch, as lightly has it

    def __init__(self):
        super().__init__()
        self.head = two_layers(2048, 2048, nn.BatchNorm1d(2048))
        self.predictor = heads.SimSiamPredictionHead(2048, 512, 2048)
        self.criterion = losses.NegativeCosineSimilarity()

    @staticmethod
    def make_transform():
        return transforms.SimSiamTransform(input_size=SIZE, gaussian_blur=0.0)


class NNCLR(Siamese):
    setting = f"{Method.setting}, heads 2048-256 and 4096-256, bank 4096, temperature 0.5"

    def __init__(self):
        super().__init__()
        self.head = two_layers(2048, 256, nn.BatchNorm1d(256))
        self.predictor = heads.NNCLRPredictionHead(256, 4096, 256)
        self.criterion = losses.NTXentLoss(temperature=0.5)
        self.bank = NNMemoryBankModule(size=(4096, 256))

    def targets(self, z0, z1):
        return self.bank(z0, update=False), self.bank(z1, update=True)


class SwAV(Method):
    setting = "Adam 1e-3 * 256 / 128, cosine, weight decay 1e-6, 512 prototypes"
    learning_rate = 1e-3 * BATCH_SIZE / 128
    weight_decay = 1e-6

    def __init__(self):
        super().__init__()
        self.head = heads.SwaVProjectionHead(FEATURES, FEATURES, 128)
        self.prototypes = heads.SwaVPrototypes(128, 512)
        self.criterion = losses.SwaVLoss()

    @staticmethod
    def make_transform():
        return transforms.SwaVTransform(
            crop_sizes=(SIZE,),
            crop_counts=(2,),
            crop_min_scales=(0.14,),
            crop_max_scales=(1.0,),
            cj_strength=0.5,
            gaussian_blur=0.0,
        )

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)

    def loss(self, views, spent):
        self.prototypes.normalize()
        return self.criterion([self.scores(view) for view in views], []).squeeze()

    def scores(self, view):
        return self.prototypes(nn.functional.normalize(self.run(view), dim=1))


class Momentum(Method):
    """A method with a momentum copy of backbone and head, moved before each step."""

    start, end = 0.99, 0.99  # of the momentum, which follows half a cosine of the clock

    def build(self, head, make_copy=copy.deepcopy):
        self.head = head
        self.target_backbone = copy.deepcopy(self.backbone)
        self.target_head = make_copy(head)
        utils.deactivate_requires_grad(self.target_backbone)
        utils.deactivate_requires_grad(self.target_head)

    def move(self, spent):
        rest = 0.5 * (1 + math.cos(math.pi * min(spent, 1)))
        momentum = self.end - (self.end - self.start) * rest
        utils.update_momentum(self.backbone, self.target_backbone, momentum)
        utils.update_momentum(self.head, self.target_head, momentum)

    def target(self, images):
        return self.run(images, self.target_backbone, self.target_head)


class MoCo(Momentum):
    """Batch normalisation in eighths of the batch: the network runs on one at a time."""

    setting = f"{Method.setting}, temperature 0.1, bank 4096, momentum 0.99, symmetric, 8 splits"
    splits = 8

    def __init__(self):
        super().__init__()
        self.build(heads.MoCoProjectionHead(FEATURES, FEATURES, 128))
        self.criterion = losses.NTXentLoss(temperature=0.1, memory_bank_size=(4096, 128))

    def loss(self, views, spent):
        self.move(spent)
        x0, x1 = views
        return 0.5 * (self.one_way(x0, x1) + self.one_way(x1, x0))

    def one_way(self, queries, keys):
        keys, order = utils.batch_shuffle(keys)
        q = torch.cat([self.run(part) for part in queries.chunk(self.splits)])
        k = torch.cat([self.target(part) for part in keys.chunk(self.splits)])
        return self.criterion(q, utils.batch_unshuffle(k, order))


class BYOL(Momentum):
    setting = f"{Method.setting}, heads 1024-256, momentum 0.99"
    make_transform = staticmethod(byol_transform)

    def __init__(self):
        super().__init__()
        self.build(heads.BYOLProjectionHead(FEATURES, 1024, 256))
        self.predictor = heads.BYOLPredictionHead(256, 1024, 256)
        self.criterion = losses.NegativeCosineSimilarity()

    def loss(self, views, spent):
        self.move(spent)
        p0, p1 = (self.run(x, self.backbone, self.head, self.predictor) for x in views)
        z0, z1 = map(self.target, views)
        return 0.5 * (self.criterion(p0, z1) + self.criterion(p1, z0))


class DINO(Momentum):
    setting = f"{Method.setting}, head 2048-256-2048, momentum 0.99, temperatures 0.1 and 0.04"

    def __init__(self):
        super().__init__()
        # The teacher's head is drawn anew, as in lightly; the momentum soon makes up for it.
        self.build(self.make_head(), lambda head: self.make_head())
        self.criterion = losses.DINOLoss(output_dim=2048)

    @staticmethod
    def make_transform():
        return transforms.DINOTransform(
            global_crop_size=SIZE, n_local_views=0, cj_strength=0.5, gaussian_blur=(0, 0, 0)
        )

    @staticmethod
    def make_head():
        head = heads.DINOProjectionHead(FEATURES, 2048, 256, 2048, batch_norm=True)
        hidden = (FEATURES, 2048, nn.BatchNorm1d(2048), nn.GELU())
        head.layers = heads.ProjectionHead([hidden, (2048, 256, None, None)]).layers
        return head

    def loss(self, views, spent):
        self.move(spent)
        return self.criterion(list(map(self.target, views)), list(map(self.run, views)))


class TiCo(Momentum):
    setting = "SGD 0.3, 10 % warm-up, cosine, weight decay 1e-4, head 1024-256, momentum 0.996 to 1"
    learning_rate = 0.3 * BATCH_SIZE / 256
    warmup = 0.1
    weight_decay = 1e-4
    start, end = 0.996, 1.0
    make_transform = staticmethod(byol_transform)

    def __init__(self):
        super().__init__()
        self.build(heads.TiCoProjectionHead(FEATURES, 1024, 256))
        self.criterion = losses.TiCoLoss()

    def loss(self, views, spent):
        self.move(spent)
        return self.criterion(self.run(views[0]), self.target(views[1]))


class MMCR(Momentum):
    """Embeddings have unit length, as in the paper; without, lightly's loss has no bound."""

    setting = "SGD 0.06, no momentum or weight decay, cosine, 8 views, momentum 0.996 to 1"
    learning_rate = 0.06
    start, end = 0.996, 1.0

    def __init__(self):
        super().__init__()
        self.build(heads.MMCRProjectionHead(FEATURES, FEATURES, 128))
        self.criterion = losses.MMCRLoss()

    @staticmethod
    def make_transform():
        return transforms.MMCRTransform(k=8, input_size=SIZE, gaussian_blur=0.0)

    def optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=self.learning_rate)

    def loss(self, views, spent):
        self.move(spent)
        embeddings = (
            torch.stack([nn.functional.normalize(run(view), dim=1) for view in views], dim=1)
            for run in (self.run, self.target)
        )
        return self.criterion(*embeddings)


METHODS = {
    "barlow_twins": BarlowTwins,
    "byol": BYOL,
    "dcl": DCL,
    "dino": DINO,
    "mmcr": MMCR,
    "moco": MoCo,
    "nnclr": NNCLR,
    "simclr": SimCLR,
    "simsiam": SimSiam,
    "swav": SwAV,
    "tico": TiCo,
    "vicreg": VICReg,
}


class Images(torch.utils.data.Dataset):
    def __init__(self, images, transform):
        self.images = images
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.images[i]))


def train(name, images, seconds, seed):
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # two threads beside two loading processes are a third slower
    method = METHODS[name]()
    optimizer = method.optimizer([p for p in method.parameters() if p.requires_grad])
    loader = torch.utils.data.DataLoader(
        Images(images, method.make_transform()),
        BATCH_SIZE,
        shuffle=True,
        drop_last=True,
        num_workers=2,
        persistent_workers=True,
    )
    started = time.perf_counter()
    epoch = 0
    while True:
        for views in loader:
            spent = (time.perf_counter() - started) / seconds
            for group in optimizer.param_groups:
                group["lr"] = method.rate(spent)
            loss = method.loss(views, spent)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if time.perf_counter() - started >= seconds:
                return method, epoch, time.perf_counter() - started, float(loss)
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
    parser.add_argument("--method", choices=sorted(METHODS), default="simclr")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data = np.load(args.data)
    method, epochs, seconds, loss = train(
        args.method, data["train_images"], args.seconds, args.seed
    )
    pairs = epochs * (len(data["train_images"]) // BATCH_SIZE) * BATCH_SIZE
    facts = {
        "epochs": round(epochs, 2),
        "seconds": round(seconds, 1),
        "seconds_per_epoch": round(seconds / epochs, 2),
        "pairs_per_second": round(pairs / seconds, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "last_loss": loss,
        "weights": sum(p.numel() for p in method.backbone.parameters()),
        "setting": f"{method.setting}, bfloat16",
        "versions": {
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "lightly": lightly.__version__,
        },
    }
    np.savez(
        args.output,
        train=embed(method.backbone, data["train_images"]),
        test=embed(method.backbone, data["test_images"]),
        facts=json.dumps(facts),
    )


if __name__ == "__main__":
    main()
