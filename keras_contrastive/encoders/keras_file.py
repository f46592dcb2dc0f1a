"""Reading a `.keras` file, with errors that say what is wrong with it."""

import json
import re
import zipfile
from pathlib import Path

import keras


def read_keras_file(path: Path, compile: bool = False) -> keras.Model:
    """Load the model of a `.keras` file.

    Args:
        path: The file.
        compile: Also its optimizer with its state, to train on. Default `False`.

    Returns:
        The model.

    Raises:
        ValueError: On a missing, truncated or otherwise unreadable file, and on one that a newer
            Keras has written and this one cannot read.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.keras"
    >>> keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    >>> read_keras_file(path).output_shape
    (None, 2)
    """
    if not path.is_file():
        raise ValueError(f"Expected a .keras file. Received: {path}, which does not exist.")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"Expected {path} to be a complete .keras file. Received: {path.stat().st_size} bytes "
            f"that are no zip archive. The file is truncated or damaged: copy it again."
        )
    try:
        return keras.saving.load_model(path, compile=compile)
    except Exception as error:
        raise ValueError(
            f"Expected {path} to be a complete .keras file. Received: a file that Keras cannot "
            f"read ({error}). {_remedy(path)}"
        ) from error


def _remedy(path: Path) -> str:
    written = _written_by(path)
    if _numbers(written) > _numbers(keras.__version__):
        return (
            f"It was written by Keras {written} and this is Keras {keras.__version__}, which may "
            "be too old for it: update Keras."
        )
    return (
        "If it is damaged, copy it again; if it has layers of another package, import that "
        "package first."
    )


def _written_by(path: Path) -> str:
    """The version of Keras that wrote a file; nothing where the file does not say."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (KeyError, ValueError, zipfile.BadZipFile):
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
