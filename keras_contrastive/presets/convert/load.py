"""From a checkpoint of another project to a Keras encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_contrastive.encoders.tensor_files import read_tensors
from keras_contrastive.presets.convert.formats import Format
from keras_contrastive.presets.convert.heads import mlp_from_torch, prototypes_from_torch
from keras_contrastive.presets.convert.keys import listed
from keras_contrastive.presets.convert.resnet import is_resnet, resnet_from_torch
from keras_contrastive.presets.convert.simclr_tf import is_simclr_tf, simclr_to_torch
from keras_contrastive.presets.convert.split import Parts, find_format, split
from keras_contrastive.presets.convert.vit import is_vit, vit_from_torch

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Converted:
    """What a checkpoint held.

    Args:
        encoder: From float images in [0, 1] to features.
        heads: `projector`, `predictor` and `prototypes`, those that the checkpoint has.
        source: Name of its format.
        left_out: Its keys that were known and not converted: queues, momentum encoders,
            classifiers, decoders, counters.
    """

    encoder: keras.Model
    heads: dict[str, keras.Sequential]
    source: str
    left_out: tuple[str, ...]


def from_checkpoint(
    path: str | Path,
    source: str | None = None,
    image_size: int | None = None,
    heads: bool = True,
    num_heads: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Converted:
    """Convert a checkpoint of another project into a Keras encoder, and its heads.

    Every key must be accounted for: an encoder's, a head's, or one that the format is known to
    hold besides. The encoder is a ResNet-18, -34 or -50 of any width, or a vision transformer.

    Args:
        path: `.safetensors`; PyTorch's `.pth`, `.pth.tar`, `.pt`, `.ckpt`, `.bin`; or the
            `.index` of a TensorFlow checkpoint of SimCLR, version 1 or 2.
        source: Name of the format: `"moco-v2"`, `"torchvision"`, ... (see
            `keras_contrastive.presets.convert.FORMATS`). Default: told by the keys.
        image_size: Height and width of the images, in pixels. Default: any size for a ResNet;
            a vision transformer's position embeddings have a size of their own.
        heads: Whether to convert the heads too.
        num_heads: Attention heads of a vision transformer. Default: the format's for that width.
        mean: Mean of each channel in [0, 1], subtracted inside the encoder. Default: the
            project's.
        std: Standard deviation of each channel, divided by inside. Default: the project's.

    Returns:
        A `Converted`, whose `encoder` takes float images in [0, 1].

    Raises:
        ValueError: On a file that cannot be read, keys that do not tell the format, and keys that
            are missing, unexpected or misshapen, with their names.
        ImportError: Where PyTorch, safetensors or TensorFlow, which read the file, is missing.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_contrastive.encoders import resnet18
    >>> from keras_contrastive.presets.convert import from_checkpoint, save_torchvision
    >>> path = pathlib.Path(tempfile.mkdtemp(), "resnet18.safetensors")
    >>> save_torchvision(resnet18(stem="small", width=0.125), path)
    >>> converted = from_checkpoint(path)
    >>> converted.source, converted.encoder.output_shape
    ('torchvision', (None, 64))
    """
    tensors = read_tensors(path)
    if is_simclr_tf(tensors):
        tensors = simclr_to_torch(tensors)
    known = find_format(tensors, source)
    parts = split(tensors, known)
    arrays = {name: tensors[key] for name, key in parts.encoder.items()}
    if not (is_resnet(arrays) or is_vit(arrays)):
        raise ValueError(
            f"Expected a ResNet with torchvision's names (conv1.weight) or a vision transformer "
            f"with timm's (patch_embed.proj.weight) where {known.name} has its encoder. "
            f"Received: {listed(tensors)}. Check `source` (on the command line, --from)."
        )
    if parts.unknown:
        raise ValueError(
            f"Expected the keys of {known.name}. Received: {len(parts.unknown)} unexpected: "
            f"{listed(parts.unknown)}. Check `source` (on the command line, --from)."
        )
    normalization = (mean or known.normalization[0], std or known.normalization[1])
    if is_resnet(arrays):
        stem = known.border, known.stem_relu, known.pool_behind
        encoder = resnet_from_torch(arrays, image_size, normalization, *stem)
    else:
        count = num_heads or known.num_heads.get(arrays["patch_embed.proj.weight"].shape[0])
        encoder = vit_from_torch(arrays, image_size, normalization, count)
    return Converted(
        encoder,
        _heads(tensors, parts, known, encoder.output_shape[-1]) if heads else {},
        known.name,
        tuple(parts.left_out),
    )


def _heads(tensors: Arrays, parts: Parts, known: Format, dim: int) -> dict[str, keras.Sequential]:
    """Projector on the features; predictor and prototypes on the projections."""
    found = {}
    for role in known.heads:
        if role not in parts.heads:
            continue
        arrays = {name: tensors[key] for name, key in parts.heads[role].items()}
        if role == "prototypes":
            found[role] = prototypes_from_torch(arrays, dim)
        else:
            found[role] = mlp_from_torch(arrays, dim, known.activation, role)
        if role == "projector":
            dim = found[role].output_shape[-1]
    return found
