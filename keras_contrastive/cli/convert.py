"""Checkpoints of other projects into encoders of ours, and encoders for PyTorch and ONNX."""

from pathlib import Path

import keras
from rich.console import Console

from keras_contrastive.encoders.tensor_files import ENDINGS, SAFETENSORS, checkpoint_file
from keras_contrastive.presets import from_preset, save_to_preset
from keras_contrastive.presets.convert import (
    Converted,
    from_checkpoint,
    save_onnx,
    save_torchvision,
)
from keras_contrastive.presets.convert.keys import listed
from keras_contrastive.presets.weights import sha256


def convert(
    file: Path,
    to: Path,
    source: str | None,
    image_size: int | None,
    num_heads: int | None,
    console: Console,
) -> None:
    """Read an encoder from whatever `file` is, and write it as what `to` ends in.

    Raises:
        ValueError: On a checkpoint that does not fit, or an ending that is not known.
    """
    if to.suffix not in ("", ".keras", ".onnx", SAFETENSORS):
        raise ValueError(
            f"Expected --to to be a folder, or a file that ends in .keras, .onnx or .safetensors. "
            f"Received: {to}."
        )
    file = checkpoint_file(file)
    if file.suffix not in ENDINGS:
        _write(from_preset(str(file)), to)
        console.print(str(to), highlight=False)
        return
    converted = from_checkpoint(file, source, image_size, num_heads=num_heads)
    encoder = converted.encoder
    console.print(
        f"{file.name}: {converted.source}, {encoder.name} with {encoder.count_params():,} weights "
        f"and {encoder.output_shape[-1]} features",
        highlight=False,
    )
    if converted.left_out:
        left_out = f"Left out: {listed(converted.left_out)}"
        console.print(left_out, highlight=False, soft_wrap=True)
    if to.suffix:
        _write(encoder, to)
        if converted.heads:
            console.print(f"Without {' and '.join(converted.heads)}: --to a folder writes them.")
    else:
        _write_preset(converted, file, to)
    console.print(str(to), highlight=False)


def _write(encoder: keras.Model, to: Path) -> None:
    if to.suffix == "":
        save_to_preset(encoder, to)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    if to.suffix == ".keras":
        encoder.save(to)
    else:
        (save_onnx if to.suffix == ".onnx" else save_torchvision)(encoder, to)


def _write_preset(converted: Converted, file: Path, folder: Path) -> None:
    """The encoder as a preset, and each head as a `.keras` file beside it."""
    note = f"Converted from `{file.name}`, a checkpoint of {converted.source}."
    origin = {"file": file.name, "format": converted.source, "sha256": sha256(file)}
    save_to_preset(converted.encoder, folder, results={"note": note, "checkpoint": origin})
    for role, head in converted.heads.items():
        head.save(folder / f"{role}.keras")
