"""Weights in half the bytes, in a file that Keras opens like any other."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np

_WEIGHTS = "model.weights.h5"
_LARGEST = float(np.finfo("float16").max)


def halve(path: Path) -> None:
    """Rewrite a `.keras` file with its kernels in float16, compressed.

    Keras casts what it reads to the variable's own type, so the model that the file gives
    computes in float32 as before, with rounded weights. Vectors stay as they are: they are few,
    and the smallest batch variances are beyond float16's range. So do kernels that overflow it.

    Args:
        path: The file, replaced at once.

    Example:

    >>> import keras, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.keras"
    >>> keras.Sequential([keras.Input((512,)), keras.layers.Dense(512)]).save(path)
    >>> before = path.stat().st_size
    >>> halve(path)
    >>> path.stat().st_size < 0.55 * before, keras.saving.load_model(path).weights[0].dtype
    (True, 'float32')
    """
    part = path.with_suffix(".part")
    with (
        zipfile.ZipFile(path) as archive,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as output,
    ):
        for name in archive.namelist():
            content = archive.read(name)
            output.writestr(name, _halved(content) if name == _WEIGHTS else content)
    part.replace(path)


def _halved(weights: bytes) -> bytes:
    """A copy of an HDF5 file, group by group."""
    buffer = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as source, h5py.File(buffer, "w") as target:

        def copy(name: str, entry: h5py.Group | h5py.Dataset) -> None:
            if isinstance(entry, h5py.Dataset):
                made = target.create_dataset(name, data=_smallest(entry[()]))
            else:
                made = target.require_group(name)
            made.attrs.update(entry.attrs)

        source.visititems(copy)
    return buffer.getvalue()


def _smallest(values: np.ndarray) -> np.ndarray:
    fits = (
        values.dtype == "float32" and values.ndim > 1 and np.abs(values).max(initial=0) <= _LARGEST
    )
    return values.astype("float16") if fits else values
