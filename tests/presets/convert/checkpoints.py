"""Checkpoints as other projects lay them out, with weights that follow from names and shapes."""

import json
import pathlib
from argparse import Namespace
from itertools import pairwise

import numpy as np

from tests.presets.convert.weights import weights

GOLDEN = pathlib.Path(__file__).parent / "golden"


def shapes(case):
    with np.load(GOLDEN / f"{case}.npz") as file:
        return json.loads(str(file["shapes"]))


def features(case):
    with np.load(GOLDEN / f"{case}.npz") as file:
        return file["features"]


def network(case, prefix=""):
    """The network of a golden file, each key behind `prefix`."""
    return {prefix + name: array for name, array in weights(shapes(case)).items()}


def linear(prefix, *dims, bias=True):
    made = weights({f"{prefix}weight": dims[::-1], f"{prefix}bias": dims[-1:]})
    return made if bias else {f"{prefix}weight": made[f"{prefix}weight"]}


def norm(prefix, dim, affine=True):
    names = ["running_mean", "running_var"] + (["weight", "bias"] if affine else [])
    return {**weights({prefix + name: (dim,) for name in names}), **counter(prefix)}


def counter(prefix):
    return {f"{prefix}num_batches_tracked": np.array(7)}


def vit(prefix=""):
    return network("vit", prefix)


DIM, PROJECTED = 32, 8


def moco_v1():
    query = network("resnet18", "module.encoder_q.") | linear(
        "module.encoder_q.fc.", DIM, PROJECTED
    )
    return {"epoch": 200, "arch": "resnet18", "state_dict": query | _moco_rest()}


def moco_v2():
    query = network("resnet18", "module.encoder_q.") | counter("module.encoder_q.bn1.")
    query |= linear("module.encoder_q.fc.0.", DIM, DIM)
    query |= linear("module.encoder_q.fc.2.", DIM, PROJECTED)
    return {"epoch": 200, "arch": "resnet18", "state_dict": query | _moco_rest()}


def _moco_rest():
    queue = {"module.queue": np.zeros((PROJECTED, 16), "float32")}
    return network("resnet18", "module.encoder_k.") | queue | {"module.queue_ptr": np.zeros(1, int)}


def moco_v3_head(prefix, dims):
    made, index = {}, 0
    for i, (a, b) in enumerate(pairwise(dims)):
        last = i == len(dims) - 2
        made |= linear(f"{prefix}{index}.", a, b, bias=False)
        made |= norm(f"{prefix}{index + 1}.", b, affine=not last)
        index += 3
    return made


def moco_v3_resnet():
    base = network("resnet18", "module.base_encoder.")
    base |= moco_v3_head("module.base_encoder.fc.", (DIM, 16, PROJECTED))
    base |= moco_v3_head("module.predictor.", (PROJECTED, 16, PROJECTED))
    return {"state_dict": base | network("resnet18", "module.momentum_encoder.")}


def moco_v3_vit():
    base = vit("module.base_encoder.")
    base |= moco_v3_head("module.base_encoder.head.", (48, 16, 16, PROJECTED))
    base |= moco_v3_head("module.predictor.", (PROJECTED, 16, PROJECTED))
    return {"state_dict": base | vit("module.momentum_encoder.")}


def simsiam():
    made = network("resnet18", "module.encoder.")
    made |= linear("module.encoder.fc.0.", DIM, DIM, bias=False)
    made |= norm("module.encoder.fc.1.", DIM)
    made |= linear("module.encoder.fc.3.", DIM, DIM, bias=False)
    made |= norm("module.encoder.fc.4.", DIM)
    made |= linear("module.encoder.fc.6.", DIM, PROJECTED)  # with a bias, though BN follows
    made |= norm("module.encoder.fc.7.", PROJECTED, affine=False)
    made |= linear("module.predictor.0.", PROJECTED, 4, bias=False)
    made |= norm("module.predictor.1.", 4) | linear("module.predictor.3.", 4, PROJECTED)
    return {"state_dict": made}


def swav():
    made = network("resnet18", "module.") | linear("module.projection_head.0.", DIM, 16)
    made |= norm("module.projection_head.1.", 16)
    made |= linear("module.projection_head.3.", 16, PROJECTED)
    return made | linear("module.prototypes.", PROJECTED, 5, bias=False)


def barlow_twins():
    made = network("resnet18", "module.backbone.") | _projector("module.projector.", bias=False)
    return {"epoch": 3, "model": made | norm("module.bn.", PROJECTED, affine=False)}


def vicreg():
    made = network("resnet18", "module.backbone.")
    return {"epoch": 3, "model": made | _projector("module.projector.", bias=True)}


def _projector(prefix, bias):
    made = linear(f"{prefix}0.", DIM, 16, bias=bias) | norm(f"{prefix}1.", 16)
    made |= linear(f"{prefix}3.", 16, 16, bias=bias) | norm(f"{prefix}4.", 16)
    return made | linear(f"{prefix}6.", 16, PROJECTED, bias=False)


def directclr():
    return {"backbone": network("resnet18"), "head": linear("", DIM, 10)}


def directclr_training():
    made = network("resnet18", "module.backbone.") | linear("module.online_head.", DIM, 10)
    return {"epoch": 3, "model": made}


def dino_resnet():
    teacher = network("resnet18", "module.backbone.") | _dino_head("module.head.", DIM)
    student = {name: array + 1 for name, array in teacher.items()}
    return _dino(teacher, student)


def dino_vit():
    teacher = vit("backbone.") | _dino_head("head.", 48)
    return _dino(teacher, {f"module.{name}": array + 1 for name, array in teacher.items()})


def _dino(teacher, student):
    rest = {"args": Namespace(arch="resnet18"), "dino_loss": {"center": np.zeros((1, 5))}}
    return {"teacher": teacher, "student": student, "epoch": 3, **rest}


def _dino_head(prefix, dim):
    made = linear(f"{prefix}mlp.0.", dim, 16) | linear(f"{prefix}mlp.2.", 16, 16)
    made |= linear(f"{prefix}mlp.4.", 16, PROJECTED)
    gains = {f"{prefix}last_layer.weight_g": np.ones((5, 1), "float32")}
    return made | gains | weights({f"{prefix}last_layer.weight_v": (5, PROJECTED)})


def mae():
    decoder = linear("decoder_embed.", 48, 16) | weights({"mask_token": (1, 1, 16)})
    return {"model": vit() | decoder, "epoch": 3, "args": Namespace(model="mae_vit")}


def supcontrast():
    return {"opt": Namespace(model="resnet18"), "model": _supcontrast("encoder.")}


def supcontrast_parallel():
    return {"opt": Namespace(model="resnet18"), "model": _supcontrast("encoder.module.")}


def _supcontrast(prefix):
    made = network("resnet18_supcontrast", prefix) | linear("head.0.", DIM, DIM)
    return made | linear("head.2.", DIM, PROJECTED)


def simclr_sthalles():
    made = network("resnet18", "backbone.") | linear("backbone.fc.0.", DIM, DIM)
    return {"state_dict": made | linear("backbone.fc.2.", DIM, PROJECTED), "arch": "resnet18"}


def byol_lucidrains():
    made = network("resnet18", "net.") | network("resnet18", "online_encoder.net.")
    made |= network("resnet18", "target_encoder.net.") | linear("online_encoder.net.fc.", DIM, 10)
    made |= _mlp("online_encoder.projector.", DIM, 16, PROJECTED)
    return made | _mlp("online_predictor.", PROJECTED, 16, PROJECTED)


def byol_sthalles():
    encoder = network("resnet18_lightly", "")
    online = {f"encoder.{name}": array for name, array in encoder.items()}
    online |= _mlp("projetion.net.", DIM, 16, PROJECTED)
    names = ("online_network_state_dict", "target_network_state_dict")
    return {**dict.fromkeys(names, online), "encoder_state_dict": encoder}


def _mlp(prefix, *dims):
    made = linear(f"{prefix}0.", *dims[:2]) | norm(f"{prefix}1.", dims[1])
    return made | linear(f"{prefix}3.", *dims[1:])


def solo_learn():
    made = network("resnet18_solo_learn", "backbone.") | linear("classifier.", DIM, 10)
    made |= _mlp("projector.", DIM, 16, PROJECTED) | _mlp("predictor.", PROJECTED, 16, PROJECTED)
    made |= network("resnet18_solo_learn", "momentum_backbone.")
    return {"state_dict": made | _mlp("momentum_projector.", DIM, 16, PROJECTED)}


def lightly():
    made = network("resnet18_lightly", "backbone.")
    return {"state_dict": made | _mlp("projection_head.layers.", DIM, 16, PROJECTED)}


def lightly_small():
    made = network("resnet18_lightly_small", "backbone.")
    return {"state_dict": made | _mlp("projection_head.layers.", DIM, 16, PROJECTED)}


def torchvision():
    return network("resnet18") | linear("fc.", DIM, 10) | counter("bn1.")


def compiled():
    return {"state_dict": {f"_orig_mod.{name}": array for name, array in torchvision().items()}}


# Layout -> (format, golden file of its encoder, roles of its heads). The formats that no key
# tells are asked for.
LAYOUTS = {
    torchvision: ("torchvision", "resnet18", []),
    compiled: ("torchvision", "resnet18", []),
    moco_v1: ("moco-v1", "resnet18", ["projector"]),
    moco_v2: ("moco-v2", "resnet18", ["projector"]),
    moco_v3_resnet: ("moco-v3", "resnet18", ["projector", "predictor"]),
    moco_v3_vit: ("moco-v3", "vit", ["projector", "predictor"]),
    simsiam: ("simsiam", "resnet18", ["projector", "predictor"]),
    swav: ("swav", "resnet18", ["projector", "prototypes"]),
    barlow_twins: ("barlow-twins", "resnet18", ["projector"]),
    vicreg: ("vicreg", "resnet18", ["projector"]),
    directclr: ("directclr", "resnet18", []),
    directclr_training: ("directclr", "resnet18", []),
    dino_resnet: ("dino", "resnet18", ["projector", "prototypes"]),
    dino_vit: ("dino", "vit", ["projector", "prototypes"]),
    mae: ("mae", "vit", []),
    supcontrast: ("supcontrast", "resnet18_supcontrast", ["projector"]),
    supcontrast_parallel: ("supcontrast", "resnet18_supcontrast", ["projector"]),
    simclr_sthalles: ("simclr-sthalles", "resnet18", ["projector"]),
    byol_lucidrains: ("byol-lucidrains", "resnet18", ["projector", "predictor"]),
    byol_sthalles: ("byol-sthalles", "resnet18_lightly", ["projector"]),
    solo_learn: ("solo-learn", "resnet18_solo_learn", ["projector", "predictor"]),
    lightly: ("lightly", "resnet18_lightly", ["projector"]),
    lightly_small: ("lightly-small", "resnet18_lightly_small", ["projector"]),
}
