"""Maps the names of the golden files to calls of this library.

`ADAPTERS[name](inputs, params)` takes the file's inputs as backend tensors and its parameters, and
returns the loss (the codes for `sinkhorn`), or for `knn`, `lars` and `momentum_schedule` a dict
with the file's result arrays.
"""

import keras
import numpy as np
from keras import ops

from keras_contrastive import evaluation, layers, losses, methods, optimizers
from keras_contrastive.ops import sinkhorn
from keras_contrastive.ops import uniformity as representation


def _nt_xent(inputs, params):
    return losses.NTXent(params["temperature"])(inputs["z1"], inputs["z2"])


def _info_nce_queue(inputs, params):
    keys = ops.stop_gradient(inputs["key"]), ops.stop_gradient(inputs["queue"])
    return losses.InfoNCE(params["temperature"])(keys, inputs["query"])


def _negative_cosine(inputs, params):
    return losses.NegativeCosine()(inputs["z"], inputs["p"])


def _alignment(inputs, params):
    return representation.alignment(inputs["x"], inputs["y"], params["alpha"])


def _uniformity(inputs, params):
    return representation.uniformity(inputs["x"], params["t"])


def _knn(inputs, params):
    arrays = {name: ops.convert_to_numpy(value) for name, value in inputs.items()}
    ranked = evaluation.knn_predict(
        arrays["bank"],
        arrays["labels"],
        arrays["query"],
        k=params["k"],
        temperature=params["temperature"],
        num_classes=params["num_classes"],
    )
    return {"predictions_ranked": ranked}


def _lars(inputs, params):
    kernel = keras.Variable(inputs["kernel0"], name="kernel")
    bias = keras.Variable(inputs["bias0"], name="bias")
    names = ("learning_rate", "momentum", "weight_decay", "trust_coefficient")
    optimizer = optimizers.LARS(**{name: params[name] for name in names})
    kernels, biases = [], []
    for kernel_grad, bias_grad in zip(inputs["kernel_grads"], inputs["bias_grads"], strict=True):
        optimizer.apply([kernel_grad, bias_grad], [kernel, bias])
        kernels.append(ops.convert_to_numpy(kernel))
        biases.append(ops.convert_to_numpy(bias))
    return {"kernels": np.stack(kernels), "biases": np.stack(biases)}


def _momentum_schedule(inputs, params):
    schedule = optimizers.CosineMomentum(
        params["start"], steps=params["max_steps"] - 1, end=params["end"]
    )
    values = [float(schedule(step)) for step in ops.convert_to_numpy(inputs["steps"])]
    return {"values": np.array(values)}


def _moco_v3(inputs, params):
    method = methods.MoCoV3(
        _flat_encoder(inputs["q1"]),
        projector=layers.moco_v1_projector,
        predictor=layers.moco_v1_projector,
        loss=losses.InfoNCE(params["temperature"]),
    )
    loss = method.contrast(inputs["q1"], inputs["k2"]) + method.contrast(inputs["q2"], inputs["k1"])
    return ops.mean(loss)


def _directclr(inputs, params):
    method = methods.DirectCLR(
        _flat_encoder(inputs["h1"]),
        loss_dim=params["loss_dim"],
        loss=losses.NTXent(params["temperature"]),
    )
    return ops.mean(method.contrast(inputs["h1"], inputs["h2"]))


def _tico(inputs, params):
    return losses.TiCoLoss(params["beta"], params["rho"])(inputs["z2"], inputs["z1"])


def _flat_encoder(features):
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(features.shape[1])])


def _sinkhorn(inputs, params):
    return sinkhorn(inputs["scores"], params["epsilon"], params["iterations"])


def _swav(inputs, params):
    scores = [inputs[name] for name in ("high1", "high2", "low1", "low2")]
    codes = [sinkhorn(view, params["epsilon"], params["iterations"]) for view in scores[:2]]
    return losses.SwappedPrediction(params["temperature"])(codes, scores)


def _two_views(loss):
    return lambda inputs, params: loss(params)(inputs["z1"], inputs["z2"])


def _hcl(params):
    return losses.HCL(params["temperature"], class_prior=params["tau_plus"], beta=params["beta"])


def _of_labelled_views(loss):
    def call(inputs, params):
        embeddings = ops.stack([inputs["z1"], inputs["z2"]], axis=1)
        return loss(params)(inputs["labels"], embeddings)

    return call


def _supcon(params):
    return losses.SupCon(params["temperature"], base_temperature=params["base_temperature"])


def _supcon_of_anchors_with_positives(inputs, params):
    values = losses.SupCon(params["temperature"], reduction=None)(inputs["labels"], inputs["z"])
    same = ops.equal(inputs["labels"][:, None], inputs["labels"][None, :])
    has_positive = ops.cast(ops.sum(ops.cast(same, "int32"), axis=1) > 1, "float32")
    return ops.sum(values * has_positive) / ops.sum(has_positive)


def _sincere(inputs, params):
    return losses.SINCERE(params["temperature"])(inputs["labels"], inputs["z"])


def _clip(inputs, params):
    temperature = ops.exp(-inputs["log_scale"])
    image, text = inputs["image"], inputs["text"]
    directions = (
        losses.info_nce(a, b, None, temperature) for a, b in [(image, text), (text, image)]
    )
    return ops.mean(sum(directions)) / 2


def _siglip(inputs, params):
    temperature = ops.exp(-inputs["log_scale"])
    return ops.mean(losses.siglip(inputs["text"], inputs["image"], temperature, inputs["bias"]))


def _simcse_supervised(inputs, params):
    loss = losses.SimCSELoss(params["temperature"])
    return loss((inputs["entailment"], inputs["contradiction"]), inputs["premise"])


def _barlow_twins(params):
    return losses.BarlowTwinsLoss(params["lambda_param"])


def _vicreg(params):
    return losses.VICRegLoss(params["lambda_param"], params["mu_param"], params["nu_param"])


def _mmcr(inputs, params):  # of embeddings as they are, without normalisation
    embeddings = ops.concatenate([inputs["online"], inputs["momentum"]], axis=1)
    return losses.mmcr(embeddings, params["lmda"])


def _triplet(inputs, params):
    rows = (inputs[name] for name in ("anchor", "positive", "negative"))
    return ops.mean(losses.triplet(*rows, margin=params["margin"]))


def _triplet_batch_hard(inputs, params):
    loss = losses.Triplet(params["margin"], mining="batch-hard")
    return loss(inputs["labels"], inputs["z"])


ADAPTERS = {
    "alignment": _alignment,
    "barlow_twins": _two_views(_barlow_twins),
    "clip": _clip,
    "dcl": _two_views(lambda params: losses.DCL(params["temperature"])),
    "dclw": _two_views(lambda params: losses.DCLW(params["temperature"], params["sigma"])),
    "debiased_hcl_beta0": _two_views(_hcl),
    "directclr": _directclr,
    "hard_negative_hcl": _two_views(_hcl),
    "info_nce_queue": _info_nce_queue,
    "knn": _knn,
    "lars": _lars,
    "mmcr": _mmcr,
    "moco_v3": _moco_v3,
    "momentum_schedule": _momentum_schedule,
    "negative_cosine": _negative_cosine,
    "nt_xent": _nt_xent,
    "siglip": _siglip,
    "simcse_supervised": _simcse_supervised,
    "sincere": _sincere,
    "sincere_multiview": _of_labelled_views(lambda p: losses.SINCERE(p["temperature"])),
    "sinkhorn": _sinkhorn,
    "supcon_multiview": _of_labelled_views(_supcon),
    "supcon_pml_single_view": _supcon_of_anchors_with_positives,
    "swav": _swav,
    "tico": _tico,
    "triplet": _triplet,
    "triplet_batch_hard": _triplet_batch_hard,
    "uniformity": _uniformity,
    "vicreg": _two_views(_vicreg),
}
