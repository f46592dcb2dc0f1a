"""Checkpoints of other projects as arrays: tensors only, whatever else the file holds."""

import argparse
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SAFETENSORS = ".safetensors"
PICKLES = (".pth", ".pt", ".tar", ".ckpt", ".bin")
TENSORFLOW = ".index"  # beside it lie the data
ENDINGS = (SAFETENSORS, *PICKLES, TENSORFLOW)


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a `.safetensors` file, or of a checkpoint of PyTorch or TensorFlow.

    PyTorch's files are pickles: they are read by its restricted reader (`weights_only`), which
    builds tensors and plain containers and runs nothing else. State of an optimizer is skipped.

    Args:
        path: The file; of TensorFlow's the one that ends in `.index`, or its name without that.

    Returns:
        Name -> array, floating point in float32. A dict within a dict gives names with a slash:
        `state_dict/conv1.weight`.

    Raises:
        ValueError: On another kind of file, a missing or damaged one, one that holds more than
            tensors and plain containers, or one without tensors.
        ImportError: Where PyTorch, safetensors or TensorFlow, which read these files, is missing.
    """
    path = checkpoint_file(Path(path))
    if path.suffix not in ENDINGS:
        raise ValueError(
            f"Expected a checkpoint that ends in {', '.join(ENDINGS)}. Received: {path}."
        )
    if not path.is_file():
        raise ValueError(f"Expected a checkpoint. Received: {path}, which does not exist.")
    readers = {SAFETENSORS: _read_safetensors, TENSORFLOW: _read_tensorflow}
    tensors = readers.get(path.suffix, _read_pickle)(path)
    if not tensors:
        raise ValueError(
            f"Expected a checkpoint with tensors. Received: {path}, which has none. Save the "
            f"network's state_dict()."
        )
    return tensors


def checkpoint_file(path: Path) -> Path:
    """The file itself; of `model.ckpt-7`, as TensorFlow calls three files together, the index."""
    index = path.with_name(path.name + TENSORFLOW)
    return index if index.is_file() else path


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write a `.safetensors` file.

    Raises:
        ImportError: Where safetensors is missing.
    """
    _safetensors().save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path)


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise ImportError(
            "Files that end in .safetensors need that package: pip install safetensors."
        ) from None
    return safetensors.numpy


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    library = _safetensors()
    try:
        return {name: _float32(array) for name, array in library.load_file(path).items()}
    except Exception as error:  # its own error type, KeyError and TypeError, by what is wrong
        raise ValueError(
            f"Expected {path} to be a complete .safetensors file of NumPy's types. Received: "
            f"{type(error).__name__}: {error}. Copy it again; store bfloat16 as float32."
        ) from error


def _read_tensorflow(path: Path) -> dict[str, np.ndarray]:
    try:
        import tensorflow as tf
    except ModuleNotFoundError:
        raise ImportError(
            f"Reading {path} needs TensorFlow, on every backend of Keras: pip install "
            f"tensorflow-cpu."
        ) from None
    try:
        reader = tf.train.load_checkpoint(str(path.with_suffix("")))
        return {
            name: _float32(np.asarray(reader.get_tensor(name)))
            for name, dtype in reader.get_variable_to_dtype_map().items()
            if dtype != tf.string
        }
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"Expected {path} to be the index of a complete TensorFlow checkpoint. Received: "
            f"{error}. Copy it again, with its .data files."
        ) from error


def _read_pickle(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ModuleNotFoundError:
        raise ImportError(
            f"Reading {path} needs PyTorch, on every backend of Keras: pip install torch. A "
            f".safetensors file needs none."
        ) from None
    try:
        # Many projects store their command line beside the weights; it holds plain values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"Expected {path} to hold tensors and plain containers. Received: objects that "
            f"unpickling could use to run code, so it was not read ({error}). Where you trust the "
            f"file, load it in PyTorch and save the network's state_dict() alone."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        if "TorchScript" in str(error):
            raise ValueError(
                f"Expected {path} to hold tensors and plain containers. Received: a TorchScript "
                f"archive, which holds code too, so it was not read. Where you trust the file: "
                f"torch.save(torch.jit.load(path).state_dict(), new_path)."
            ) from error
        raise ValueError(
            f"Expected {path} to be a complete PyTorch file. Received: {error}. It is truncated "
            f"or damaged: copy it again."
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(
            f"Expected {path} to hold a dict. Received: {type(content).__name__}. Save the "
            f"network's state_dict()."
        )
    return {
        name: _float32(tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy())
        for name, tensor in _walk(content, torch.Tensor)
    }


def _walk(content: Mapping, kind: type) -> Iterator[tuple[str, Any]]:
    """Tensors of nested dicts, under names with slashes."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            if not str(key).startswith("optimizer"):
                yield from ((f"{key}/{name}", tensor) for name, tensor in _walk(value, kind))
        elif isinstance(value, kind):
            yield str(key), value


def _float32(array: np.ndarray) -> np.ndarray:
    return array.astype("float32") if np.issubdtype(array.dtype, np.floating) else array
