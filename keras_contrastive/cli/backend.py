"""Which backend Keras gets when nobody has said."""

import importlib.util
import json
import os
import sys
from pathlib import Path

_BACKENDS = ("tensorflow", "jax", "torch")


def choose_backend() -> None:
    """Set `KERAS_BACKEND` to an installed backend, if Keras would take one that is not.

    Does nothing where the variable is set, where Keras is imported already, or where the backend
    of Keras' configuration file (TensorFlow by default) is installed.

    Example:

    >>> choose_backend()  # keras is imported here: nothing changes
    """
    if os.environ.get("KERAS_BACKEND") or "keras" in sys.modules:
        return
    if _installed(_configured()):
        return
    for backend in _BACKENDS:
        if _installed(backend):
            os.environ["KERAS_BACKEND"] = backend
            return


def _configured() -> str:
    """The backend in Keras' configuration file."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text("utf8")).get("backend", _BACKENDS[0])
    except (OSError, ValueError):
        return _BACKENDS[0]


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
