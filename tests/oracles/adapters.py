"""Maps the names of the golden files to calls of this library.

`ADAPTERS[name](inputs, params)` takes the file's inputs as backend tensors and its parameters, and
returns the loss, or for `knn`, `lars` and `momentum_schedule` a dict with the file's result arrays.
"""

import keras
import numpy as np
from keras import ops

from keras_contrastive import evaluation, layers, losses, methods, optimizers
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


ADAPTERS = {
    "directclr": _directclr,
    "moco_v3": _moco_v3,
    "tico": _tico,
    "alignment": _alignment,
    "info_nce_queue": _info_nce_queue,
    "knn": _knn,
    "lars": _lars,
    "momentum_schedule": _momentum_schedule,
    "negative_cosine": _negative_cosine,
    "nt_xent": _nt_xent,
    "uniformity": _uniformity,
}
