"""SimCLR's checkpoints of TensorFlow under torchvision's names, in PyTorch's layout."""

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]

_DEPTHS = (3, 4, 6, 3)
_ENCODER = re.compile(r"base_model/(conv2d|batch_normalization)(?:_(\d+))?/(\w+)")
_HEAD = re.compile(r"head_contrastive/nl_(\d+)/(dense|batch_normalization)/(\w+)")
_TORCH = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def is_simclr_tf(names: Iterable[str]) -> bool:
    """Whether these are names of SimCLR's checkpoints of TensorFlow."""
    return "base_model/conv2d/kernel" in names


def simclr_to_torch(arrays: Arrays) -> dict[str, np.ndarray]:
    """Rename and transpose the encoder and the head; other arrays stay as they are.

    Layers are numbered there in the order in which they were made: the convolution of a shortcut
    before those of its block, and a normalisation after each convolution.

    Raises:
        ValueError: On another network than a ResNet-50 without selective kernels.
    """
    places = list(_places())
    kernels = sum(name.startswith("base_model/conv2d") and name[-6:] == "kernel" for name in arrays)
    if kernels != len(places):
        raise ValueError(
            f"Expected SimCLR's ResNet-50 without selective kernels, of any width: "
            f"{len(places)} convolutions. Received: {kernels}."
        )
    return {_renamed(name, places): _to_torch(array) for name, array in arrays.items()}


def _renamed(name: str, places: list[tuple[str, str]]) -> str:
    if inner := _ENCODER.fullmatch(name):
        kind, number, attribute = inner.groups()
        place = places[int(number or 0)][kind != "conv2d"]
        return f"base_model.{place}.{_TORCH[attribute]}"
    if inner := _HEAD.fullmatch(name):
        # As a sequence of linear layer, normalisation and rectifier.
        number, kind, attribute = inner.groups()
        return f"head_contrastive.{3 * int(number) + (kind != 'dense')}.{_TORCH[attribute]}"
    return name


def _places() -> Iterator[tuple[str, str]]:
    """Each convolution's name in torchvision with its normalisation's, in SimCLR's order."""
    yield "conv1", "bn1"
    for stage, depth in enumerate(_DEPTHS, start=1):
        for block in range(depth):
            start = f"layer{stage}.{block}"
            if block == 0:
                yield f"{start}.downsample.0", f"{start}.downsample.1"
            yield from ((f"{start}.conv{i}", f"{start}.bn{i}") for i in (1, 2, 3))


def _to_torch(array: np.ndarray) -> np.ndarray:
    return array.transpose({4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, range(array.ndim)))
