"""The heads of a checkpoint as stock layers, read off their keys."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_contrastive.layers import Prototypes, WeightNormPrototypes, batch_norm
from keras_contrastive.ops import l2_normalize
from keras_contrastive.presets.convert.keys import check_keys

Arrays = Mapping[str, np.ndarray]


def mlp_from_torch(arrays: Arrays, input_dim: int, activation: str, role: str) -> keras.Sequential:
    """A head from the keys of a `torch.nn.Sequential`, or of a single linear layer.

    Linear layers and batch normalisations are numbered; a number that is missing between them is
    the activation, which has no weights.

    Args:
        arrays: `0.weight`, `1.running_mean`, ... -> array.
        input_dim: Dimension of what enters the head.
        activation: Name of the activation.
        role: Name of the model.

    Raises:
        ValueError: On keys that are missing, unexpected or of another shape.
    """
    numbered = {k if k[0].isdigit() else f"0.{k}": array for k, array in arrays.items()}
    indices = sorted({int(name.split(".")[0]) for name in numbered})
    head = keras.Sequential([keras.Input((input_dim,))], name=role)
    expected: dict[str, tuple[int, ...]] = {}
    weights: list[np.ndarray] = []
    dim, last = input_dim, indices[0] - 1
    for index in indices:
        here = {k.split(".", 1)[1]: v for k, v in numbered.items() if k.startswith(f"{index}.")}
        if index > last + 1:
            head.add(keras.layers.Activation(activation))
        normalizes = "running_mean" in here or "running_var" in here
        if normalizes:
            names = [k for k in ("weight", "bias") if k in here] + ["running_mean", "running_var"]
            head.add(batch_norm(scale="weight" in here, center="bias" in here))
            expected |= {f"{index}.{name}": (dim,) for name in names}
        else:
            width = len(here.get("weight", ()))
            names = ["weight", *(["bias"] if "bias" in here else [])]
            expected |= {f"{index}.{k}": (width, dim)[: 2 if k == "weight" else 1] for k in names}
            head.add(keras.layers.Dense(max(width, 1), use_bias="bias" in here))
            dim = width
        weights += [here[name].T for name in names if name in here]
        last = index
    check_keys({k: v.shape for k, v in numbered.items()}, expected, f"a {role}")
    head.set_weights(weights)
    return head


def prototypes_from_torch(arrays: Arrays, input_dim: int) -> keras.Sequential:
    """Prototypes at unit length: rows of SwAV, or the weight-normalised last layer of DINO.

    Raises:
        ValueError: On keys that do not fit, and on a weight normalisation with other gains than 1.
    """
    # PyTorch's two ways to store a weight normalisation.
    names = {"parametrizations.weight.original0": "weight_g"}
    names |= {"parametrizations.weight.original1": "weight_v"}
    arrays = {names.get(name, name): array for name, array in arrays.items()}
    normalized = "weight_v" in arrays
    rows = arrays.get("weight_v" if normalized else "weight", np.zeros((1, 1), "float32"))
    expected: dict[str, tuple[int, ...]] = {"weight": (len(rows), input_dim)}
    if normalized:
        expected = {"weight_g": (len(rows), 1), "weight_v": (len(rows), input_dim)}
    check_keys({k: v.shape for k, v in arrays.items()}, expected, "prototypes")
    if normalized and not np.allclose(arrays["weight_g"], 1.0, atol=1e-6):
        raise ValueError(
            f"Expected a last layer whose gains are 1 (DINO's norm_last_layer=True). Received: "
            f"gains from {arrays['weight_g'].min():.4g} to {arrays['weight_g'].max():.4g}. Convert "
            f"with heads=False (on the command line, --no-heads)."
        )
    layer = (WeightNormPrototypes if normalized else Prototypes)(len(rows), input_dim)
    # SwAV brings them to unit length before each step, so that they are not after the last one.
    layer.rows.assign(rows if normalized else l2_normalize(rows))
    return keras.Sequential([keras.Input((input_dim,)), layer], name="prototypes")
