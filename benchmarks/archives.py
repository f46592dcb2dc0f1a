"""The folder with images, sentences and sounds that benchmarks read."""

import importlib.util
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = pathlib.Path(os.environ.get("KERAS_CONTRASTIVE_DATA", ROOT.parent / "shared" / "data"))


def loader():
    """Its `load.py`, the module that reads the archives."""
    spec = importlib.util.spec_from_file_location("archive_loader", FOLDER / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
