"""The way back: our encoders for PyTorch and for ONNX."""

from pathlib import Path

import keras
import numpy as np

from keras_contrastive.encoders import in_float32
from keras_contrastive.encoders.tensor_files import SAFETENSORS, write_tensors
from keras_contrastive.presets.convert.resnet import resnet_to_torch


def save_torchvision(encoder: keras.Model, path: str | Path) -> None:
    """Write the weights of one of our ResNets under torchvision's names.

    In PyTorch: `resnet50().load_state_dict(load_file(path), strict=False)`, which misses the
    classifier `fc` alone. The normalisation of the images is not among the weights.

    Args:
        encoder: A ResNet of `keras_contrastive.encoders`.
        path: A file that ends in `.safetensors`.

    Raises:
        ValueError: On another network, or another ending.
        ImportError: Where safetensors is missing.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_contrastive.encoders import resnet18
    >>> path = pathlib.Path(tempfile.mkdtemp(), "resnet18.safetensors")
    >>> save_torchvision(resnet18(width=0.125), path)
    >>> path.exists()
    True
    """
    path = Path(path)
    if path.suffix != SAFETENSORS:
        raise ValueError(f"Expected a path that ends in .safetensors. Received: {path}.")
    write_tensors(path, resnet_to_torch(encoder))


def save_onnx(encoder: keras.Model, path: str | Path) -> None:
    """Write an encoder for ONNX, and run the file to see that it gives the same features.

    Keras exports, and does not manage every network on every backend. With Keras 3.15 ResNets
    come out on PyTorch; vision transformers and ResNets with a small stem on JAX; none on
    TensorFlow. Save the encoder as `.keras` and export it under another `KERAS_BACKEND`.

    Args:
        encoder: Any encoder.
        path: A file that ends in `.onnx`.

    Raises:
        ValueError: On another ending, and where the export fails or gives other features; then
            no file is left.
        ImportError: Where what Keras exports with, or onnxruntime, is missing.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"Expected a path that ends in .onnx. Received: {path}.")
    model = in_float32(encoder)
    shape = (2, *(size or 64 for size in model.input_shape[1:]))
    images = np.random.default_rng(0).random(shape, "float32")
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    try:
        model.export(path, format="onnx", verbose=False)
        difference = np.abs(_run_onnx(path, images) - expected).max()
    except ImportError as error:
        raise ImportError(
            f"Exporting to ONNX needs what Keras exports with, and onnxruntime ({error}). On "
            f"PyTorch: pip install 'keras-contrastive[onnx]'."
        ) from error
    except Exception as error:
        path.unlink(missing_ok=True)
        raise ValueError(_failed(f"{type(error).__name__}: {str(error)[:200]}")) from error
    if not difference < 1e-4 * max(1.0, np.abs(expected).max()):
        path.unlink()
        raise ValueError(_failed(f"features that differ by {difference:.2g}"))


def _run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def _failed(received: str) -> str:
    return (
        f"Expected Keras to export this encoder on {keras.backend.backend()}. Received: "
        f"{received}. Save it as .keras and export that under another KERAS_BACKEND: torch for "
        f"ResNets, jax for vision transformers."
    )
