"""From the name of a preset to its encoder."""

import difflib
from pathlib import Path

import keras

from keras_contrastive.presets.folder import ENCODER, presets, read_results
from keras_contrastive.presets.weights import check_sha256, read_encoder


def from_preset(preset: str | Path) -> keras.Model:
    """Load a pretrained encoder.

    Args:
        preset: The name of a preset (see `presets()`), a folder that `save_to_preset` or
            `keras-contrastive pretrain` wrote, or a `.keras` file of an encoder or a method.

    Returns:
        A plain Keras model from float images in [0, 1] to features `(N, D)`.

    Raises:
        ValueError: On an unknown name, with the nearest ones; on a missing or damaged file; on
            weights whose sha256 is not that of `results.json`; on an `hf://` address, which is
            not supported yet.

    Example:

    >>> import keras, tempfile
    >>> from keras_contrastive.encoders import small_resnet
    >>> from keras_contrastive.presets import save_to_preset
    >>> folder = tempfile.mkdtemp()
    >>> _ = save_to_preset(small_resnet(widths=(8, 16)), folder, results={"knn": 0.5})
    >>> from_preset(folder).output_shape
    (None, 16)
    """
    if str(preset).startswith("hf://"):
        raise ValueError(
            f"Expected a preset's name, a folder or a .keras file. Received: {preset}. "
            f"Hugging Face addresses are not supported yet: download the folder and give its path."
        )
    path = Path(preset)
    if path.is_dir():
        return _from_folder(path)
    if path.suffix == ".keras":
        return read_encoder(path)
    known = presets()
    if preset in known:
        return _from_folder(known[str(preset)].folder)
    near = difflib.get_close_matches(str(preset), known, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "presets() lists them."
    raise ValueError(
        f"Expected the name of a preset ({', '.join(known) or 'none is installed'}), a folder or "
        f"a .keras file. Received: {str(preset)!r}. {hint}"
    )


def _from_folder(folder: Path) -> keras.Model:
    results = read_results(folder)
    if "sha256" not in results:
        raise ValueError(
            f"Expected the sha256 of {ENCODER} in {folder / 'results.json'}. Received: keys "
            f"{sorted(results)}. Give the path of the .keras file to load it unchecked."
        )
    path = folder / ENCODER
    if path.is_file():  # else the next line says what is missing
        check_sha256(path, results["sha256"])
    return read_encoder(path)
