"""Features of a data set as a file."""

from pathlib import Path
from typing import Any

import numpy as np

FORMATS = (".npz", ".parquet")


def check_format(path: Path) -> None:
    """Refuse a file name of another kind before anything is computed."""
    if path.suffix not in FORMATS:
        raise ValueError(
            f"Expected an output file that ends in .npz or .parquet. Received: {path}."
        )
    if path.suffix == ".parquet":
        _pyarrow()


def write_features(
    path: Path, features: np.ndarray, labels: np.ndarray | None, files: list[str] | None
) -> None:
    """Write features with what is known of their images.

    `.npz` has the arrays `features` (N, D) and, where known, `labels` and `files`; `.parquet` the
    columns `features` (a list of D floats), `label` and `file`.

    Args:
        path: The file.
        features: `(N, D)`, float32.
        labels: `(N,)`, or `None`.
        files: Path of each image, or `None`.

    Raises:
        ImportError: For `.parquet` without pyarrow.
    """
    check_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        arrays: dict[str, Any] = {"features": features}
        if labels is not None:
            arrays["labels"] = labels
        if files is not None:
            arrays["files"] = np.array(files)
        np.savez(path, **arrays)
        return
    pyarrow, parquet = _pyarrow()
    flat = pyarrow.array(features.ravel())
    columns = {"features": pyarrow.FixedSizeListArray.from_arrays(flat, features.shape[1])}
    if labels is not None:
        columns["label"] = pyarrow.array(labels)
    if files is not None:
        columns["file"] = pyarrow.array(files)
    parquet.write_table(pyarrow.table(columns), path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ImportError(
            "Writing .parquet needs pyarrow: pip install pyarrow, or give a .npz file."
        ) from None
    return pyarrow, parquet
