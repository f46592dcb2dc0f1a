"""Loss classes of lightly and pytorch-metric-learning on random cases; a worker of `agreement.py`.

Runs in an environment of its own (pip install torch lightly pytorch-metric-learning). Every case
is drawn from the seed, written as the files of `tests/oracles/golden` are (inputs, parameters,
loss, gradients), and computed twice: in float64, and in float32 for the peer's own rounding.
"""

import argparse
import json
import warnings

import lightly
import numpy as np
import pytorch_metric_learning
import torch
from lightly import loss as lightly_losses
from lightly.loss.hypersphere_loss import HypersphereLoss
from lightly.loss.macl_loss import MACLLoss
from lightly.loss.mmcr_loss import MMCRLoss
from lightly.models.modules.nn_memory_bank import NNMemoryBankModule
from pytorch_metric_learning import distances, losses, miners, reducers

BATCHES, DIMENSIONS, TEMPERATURES = (2, 64), (2, 256), (0.05, 1.0)
SHAPES = 40  # few enough for a backend that compiles for each


# -- cases: inputs and parameters ---------------------------------------------------------------


def uniform(rng, low, high):
    """A number drawn so that every octave between the bounds is as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def normal(rng, *shape):
    return (rng.standard_normal(shape) * uniform(rng, 0.3, 3)).astype("float32")


def unit(rng, *shape):
    x = rng.standard_normal(shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def near(rng, x, share):
    """Another view of x: a mixture with noise of the same size."""
    noise = rng.standard_normal(x.shape) * x.std()
    return (share * x + (1 - share) * noise).astype("float32")


def views(rng, n, d, names=("z1", "z2")):
    first = normal(rng, n, d)
    return dict(zip(names, (first, near(rng, first, rng.uniform(0, 0.7)))))


def labels(rng, n):
    """Classes of random sizes, with a positive and a negative: of three samples at least."""
    classes = rng.integers(0, max(2, n // 4 + 1), max(n, 3))
    classes[:3] = 0, 0, 1
    return rng.permutation(classes)


def equal_classes(rng, n):
    """Classes of two samples each."""
    return rng.permutation(np.repeat(np.arange(max(n // 2, 1)), 2))


def temperature(rng):
    return {"temperature": uniform(rng, *TEMPERATURES)}


def pair(rng, n, d):
    return views(rng, n, d), temperature(rng)


def weighted_pair(rng, n, d):
    return views(rng, n, d), {**temperature(rng), "sigma": uniform(rng, 0.2, 2)}


def truncated_pair(rng, n, d):
    return views(rng, n, d, ("h1", "h2")), {
        **temperature(rng),
        "loss_dim": int(rng.integers(max(2, d // 2), d + 1)),
    }


def macl_pair(rng, n, d):
    # Within alpha (1 + A_0) < 1, where no alignment makes the temperature negative.
    parameters = {"alpha": rng.uniform(0, 0.6), "A_0": rng.uniform(0, 0.5)}
    return views(rng, n, d), {**temperature(rng), **parameters}


def queued(rng, n, d):
    inputs = views(rng, n, d, ("query", "key"))
    return {**inputs, "queue": unit(rng, int(rng.integers(2, 257)), d)}, temperature(rng)


def predicted(rng, n, d):
    return views(rng, n, d, ("p", "z")), {}


def barlow_pair(rng, n, d):
    return views(rng, n, d), {"lambda_param": uniform(rng, 1e-3, 0.1)}


def vicreg_pair(rng, n, d):
    weights = {"lambda_param": uniform(rng, 5, 50), "mu_param": uniform(rng, 5, 50)}
    return views(rng, n, d), {**weights, "nu_param": uniform(rng, 0.2, 5), "eps": 1e-4}


def scores(rng, n, d):
    prototypes = unit(rng, d, 16)
    first = unit(rng, n, 16)
    crops = {
        name: near(rng, first, rng.uniform(0.2, 0.8)) for name in ("high1", "high2", "low1", "low2")
    }
    crops = {k: z / np.linalg.norm(z, axis=1, keepdims=True) for k, z in crops.items()}
    inputs = {name: (z @ prototypes.T).astype("float32") for name, z in crops.items()}
    return inputs, {**temperature(rng), "iterations": 3, "epsilon": uniform(rng, 0.03, 0.1)}


def teacher_and_students(rng, n, d):
    names = ("teacher1", "teacher2", "student1", "student2", "student3", "student4")
    inputs = {name: rng.uniform(-1, 1, (n, d)).astype("float32") for name in names}
    inputs["center"] = (0.2 * rng.standard_normal(d)).astype("float32")
    temperatures = {
        "student_temperature": uniform(rng, *TEMPERATURES),
        "teacher_temperature": uniform(rng, 0.03, 0.1),
    }
    return inputs, temperatures


def tico_pair(rng, n, d):
    return views(rng, n, d), {"beta": rng.uniform(0, 0.99), "rho": uniform(rng, 1, 30)}


def many_views(rng, n, d):
    count = int(rng.integers(2, 5))
    first = normal(rng, n, 1, d)
    online, momentum = (near(rng, np.repeat(first, count, 1), 0.5) for _ in range(2))
    return {"online": online, "momentum": momentum}, {"lmda": uniform(rng, 1e-3, 1)}


def neighbours(rng, n, d):
    inputs = {**views(rng, n, d), **views(rng, n, d, ("p1", "p2"))}
    return {**inputs, "bank": unit(rng, int(rng.integers(2, 257)), d)}, temperature(rng)


def sphere_pair(rng, n, d):
    return views(rng, n, d), {"t": uniform(rng, 0.5, 4), "alpha": 2, "lam": uniform(rng, 0.2, 5)}


def labelled(rng, n, d):
    classes = labels(rng, n)
    return {"z": normal(rng, len(classes), d), "labels": classes}, temperature(rng)


def labelled_pairs(rng, n, d):
    classes = equal_classes(rng, n)
    return {"z": normal(rng, len(classes), d), "labels": classes}, temperature(rng)


def labelled_views(rng, n, d):
    t = uniform(rng, *TEMPERATURES)
    classes = labels(rng, n)
    inputs = {**views(rng, len(classes), d), "labels": classes}
    return inputs, {"temperature": t, "base_temperature": t}


def triplets(rng, n, d):
    inputs = views(rng, n, d, ("anchor", "positive"))
    return {**inputs, "negative": normal(rng, n, d)}, {
        "margin": uniform(rng, 0.05, 5),
        "distance": "euclidean",
    }


def mined(rng, n, d):
    classes = labels(rng, n)
    inputs = {"z": normal(rng, len(classes), d), "labels": classes}
    return inputs, {"margin": uniform(rng, 0.05, 1), "normalized": True}


# -- the peers' losses --------------------------------------------------------------------------


def info_nce_queue(x, p):
    loss = lightly_losses.NTXentLoss(p["temperature"], memory_bank_size=tuple(x["queue"].shape))
    loss.memory_bank.bank = x["queue"].clone()  # the keys are written into it
    return loss(x["query"], x["key"])


def swav(x, p):
    loss = lightly_losses.SwaVLoss(p["temperature"], p["iterations"], p["epsilon"])
    return loss([x["high1"], x["high2"]], [x["low1"], x["low2"]])


def dino(x, p):
    loss = lightly_losses.DINOLoss(
        x["center"].shape[0],
        teacher_temp=p["teacher_temperature"],
        student_temp=p["student_temperature"],
    )
    loss.center = x["center"][None, None]
    students = [x[f"student{i}"] for i in (1, 2, 3, 4)]
    return loss([x["teacher1"], x["teacher2"]], students)


def nnclr(x, p):
    bank = NNMemoryBankModule(size=tuple(x["bank"].shape))
    bank.bank = x["bank"]
    loss = lightly_losses.NTXentLoss(p["temperature"])
    n1, n2 = bank(x["z1"]), bank(x["z2"])
    return 0.5 * (loss(n1, x["p2"]) + loss(n2, x["p1"]))


def supcon_views(x, p):
    z, classes = torch.cat([x["z1"], x["z2"]]), x["labels"].repeat(2)
    return losses.SupConLoss(p["temperature"])(z, classes)


def triplet(x, p):
    n = len(x["anchor"])
    indices = torch.arange(n), n + torch.arange(n), 2 * n + torch.arange(n)
    plain = distances.LpDistance(normalize_embeddings=False)
    loss = losses.TripletMarginLoss(p["margin"], distance=plain, reducer=reducers.MeanReducer())
    return loss(torch.cat([x["anchor"], x["positive"], x["negative"]]), indices_tuple=indices)


def mined_triplet(make_miner):
    def loss(x, p):
        found = make_miner(p["margin"])(x["z"], x["labels"])
        return losses.TripletMarginLoss(p["margin"])(x["z"], x["labels"], found)

    return loss


def triplet_miner(kind):
    return lambda margin: miners.TripletMarginMiner(margin, type_of_triplets=kind)


# What `agreement.py` compares with, cases, the peer's loss, and inputs that get a gradient there
# and here.
Z = ("z1", "z2")
LOSSES = {
    "lightly NTXentLoss": (
        "nt_xent",
        pair,
        lambda x, p: lightly_losses.NTXentLoss(p["temperature"])(x["z1"], x["z2"]),
        Z,
    ),
    "lightly NTXentLoss with a memory bank": ("info_nce_queue", queued, info_nce_queue, ("query",)),
    "lightly NNMemoryBankModule and NTXentLoss": ("nnclr", neighbours, nnclr, ("p1", "p2")),
    "lightly DCLLoss": (
        "dcl",
        pair,
        lambda x, p: lightly_losses.DCLLoss(p["temperature"])(x["z1"], x["z2"]),
        Z,
    ),
    "lightly DCLWLoss": (
        "dclw",
        weighted_pair,
        lambda x, p: lightly_losses.DCLWLoss(p["temperature"], p["sigma"])(x["z1"], x["z2"]),
        Z,
    ),
    "lightly DirectCLRLoss": (
        "directclr",
        truncated_pair,
        lambda x, p: lightly_losses.DirectCLRLoss(p["loss_dim"], p["temperature"])(
            x["h1"], x["h2"]
        ),
        ("h1", "h2"),
    ),
    "lightly MACLLoss": (
        "macl",
        macl_pair,
        lambda x, p: MACLLoss(p["temperature"], p["alpha"], p["A_0"])(x["z1"], x["z2"]),
        Z,
    ),
    "lightly NegativeCosineSimilarity": (
        "negative_cosine",
        predicted,
        lambda x, p: lightly_losses.NegativeCosineSimilarity()(x["p"], x["z"]),
        ("p",),
    ),
    "lightly BarlowTwinsLoss": (
        "barlow_twins",
        barlow_pair,
        lambda x, p: lightly_losses.BarlowTwinsLoss(p["lambda_param"])(x["z1"], x["z2"]),
        Z,
    ),
    "lightly VICRegLoss": (
        "vicreg",
        vicreg_pair,
        lambda x, p: lightly_losses.VICRegLoss(**p)(x["z1"], x["z2"]),
        Z,
    ),
    "lightly SwaVLoss": ("swav", scores, swav, ("high1", "high2", "low1", "low2")),
    "lightly DINOLoss": (
        "dino",
        teacher_and_students,
        dino,
        ("student1", "student2", "student3", "student4"),
    ),
    "lightly TiCoLoss": (
        "tico",
        tico_pair,
        lambda x, p: lightly_losses.TiCoLoss(**p)(x["z1"], x["z2"]),
        Z,
    ),
    "lightly MMCRLoss": (
        "mmcr",
        many_views,
        lambda x, p: MMCRLoss(**p)(x["online"], x["momentum"]),
        ("online", "momentum"),
    ),
    "lightly HypersphereLoss": (
        "hypersphere",
        sphere_pair,
        lambda x, p: HypersphereLoss(p["t"], p["lam"], p["alpha"])(x["z1"], x["z2"]),
        Z,
    ),
    "pml SelfSupervisedLoss of NTXentLoss": (
        "nt_xent",
        pair,
        lambda x, p: losses.SelfSupervisedLoss(losses.NTXentLoss(p["temperature"]))(
            x["z1"], x["z2"]
        ),
        Z,
    ),
    "pml SelfSupervisedLoss of NTXentLoss, one direction": (
        "info_nce",
        pair,
        lambda x, p: losses.SelfSupervisedLoss(losses.NTXentLoss(p["temperature"]), False)(
            x["z1"], x["z2"]
        ),
        Z,
    ),
    "pml NTXentLoss of labels": (
        "sincere",
        labelled_pairs,
        lambda x, p: losses.NTXentLoss(p["temperature"])(x["z"], x["labels"]),
        ("z",),
    ),
    "pml SupConLoss": (
        "supcon_pml_single_view",
        labelled,
        lambda x, p: losses.SupConLoss(p["temperature"])(x["z"], x["labels"]),
        ("z",),
    ),
    "pml SupConLoss of two views": ("supcon_multiview", labelled_views, supcon_views, Z),
    "pml VICRegLoss": (
        "vicreg",
        vicreg_pair,
        lambda x, p: losses.VICRegLoss(p["lambda_param"], p["mu_param"], p["nu_param"], p["eps"])(
            x["z1"], ref_emb=x["z2"]
        ),
        Z,
    ),
    "pml TripletMarginLoss": ("triplet", triplets, triplet, ("anchor", "positive", "negative")),
    "pml TripletMarginLoss, BatchHardMiner": (
        "triplet_batch_hard",
        mined,
        mined_triplet(lambda margin: miners.BatchHardMiner()),
        ("z",),
    ),
    "pml TripletMarginLoss, all triplets": (
        "triplet_all",
        mined,
        mined_triplet(triplet_miner("all")),
        ("z",),
    ),
    "pml TripletMarginLoss, semi-hard triplets": (
        "triplet_semi_hard",
        mined,
        mined_triplet(triplet_miner("semihard")),
        ("z",),
    ),
    "pml TripletMarginLoss, hard triplets": (
        "triplet_hard",
        mined,
        mined_triplet(triplet_miner("hard")),
        ("z",),
    ),
}


def evaluate(loss, inputs, parameters, wanted, dtype):
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
    for name in wanted:
        tensors[name].requires_grad_(True)
    value = loss(tensors, parameters)
    value = torch.as_tensor(value, dtype=dtype).sum()
    if value.requires_grad:
        value.backward()
    gradients = (tensors[name].grad for name in wanted)
    arrays = [
        (torch.zeros_like(tensors[name]) if gradient is None else gradient).numpy()
        for name, gradient in zip(wanted, gradients)
    ]
    return value.item(), dict(zip(wanted, arrays))


def make(name, cases, seed):
    """The arrays of all cases of a loss, by `name/case/array`."""
    ours, draw, loss, wanted = LOSSES[name]
    rng = np.random.default_rng((seed, *name.encode()))
    shapes = [(n, d) for n in BATCHES for d in DIMENSIONS]
    shapes += [
        (round(uniform(rng, *BATCHES)), round(uniform(rng, *DIMENSIONS)))
        for _ in range(SHAPES - len(shapes))
    ]
    arrays = {}
    for case in range(cases):
        n, d = shapes[case % SHAPES]
        inputs, parameters = draw(rng, n, d)
        batch = len(inputs[wanted[0]])
        facts = {"ours": ours, "params": parameters, "wanted": wanted}
        facts |= {"batch": batch, "dimension": d}
        value, gradients = evaluate(loss, inputs, parameters, wanted, torch.float64)
        value32, gradients32 = evaluate(loss, inputs, parameters, wanted, torch.float32)
        parts = {
            "facts": json.dumps(facts),
            "loss": value,
            "loss32": value32,
            **{f"input_{k}": v for k, v in inputs.items()},
            **{f"grad_{k}": v for k, v in gradients.items()},
            **{f"grad32_{k}": v for k, v in gradients32.items()},
        }
        arrays |= {f"{name}/{case}/{part}": value for part, value in parts.items()}
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--losses", nargs="*", default=[""], help="parts of names")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    names = [name for name in LOSSES if any(part in name for part in args.losses)]
    arrays = {
        "versions": json.dumps(
            {
                "torch": torch.__version__,
                "lightly": lightly.__version__,
                "pytorch-metric-learning": pytorch_metric_learning.__version__,
            }
        )
    }
    for name in names:
        arrays |= make(name, args.cases, args.seed)
    np.savez(args.output, **arrays)


if __name__ == "__main__":
    main()
