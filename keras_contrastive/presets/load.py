"""From the name of a preset to its encoder."""

import difflib
from pathlib import Path

import keras

from keras_contrastive.presets.folder import ENCODER, RESULTS, Preset, presets, read_results
from keras_contrastive.presets.hub import PREFIX, download_preset
from keras_contrastive.presets.weights import check_sha256, read_encoder


def from_preset(preset: str | Path) -> keras.Model:
    """Load a pretrained encoder.

    Args:
        preset: The name of a preset (see `presets()`), a folder that `save_to_preset` or
            `keras-contrastive pretrain` wrote, a `.keras` file of an encoder or a method, or
            `hf://owner/name` (`@revision` if need be) on the Hugging Face Hub.

    Returns:
        A Keras model from float images in [0, 1] to features `(N, D)`; or a
        `keras_contrastive.encoders.SentenceEncoder`, if that is what was saved.

    Raises:
        ValueError: On an unknown name, with the nearest ones; on a missing or damaged file; on
            weights whose sha256 is not that of `results.json`; on an address without a preset.
        ImportError: On an address without huggingface-hub.

    Example:

    >>> import keras, tempfile
    >>> from keras_contrastive.encoders import small_resnet
    >>> from keras_contrastive.presets import save_to_preset
    >>> folder = tempfile.mkdtemp()
    >>> _ = save_to_preset(small_resnet(widths=(8, 16)), folder, results={"knn": 0.5})
    >>> from_preset(folder).output_shape
    (None, 16)
    """
    if str(preset).startswith(PREFIX):
        return _load(find_preset(download_preset(str(preset))))
    path = Path(preset)
    if path.suffix == ".keras" and not path.is_dir():
        return read_encoder(path)
    return _load(find_preset(preset))


def find_preset(preset: str | Path) -> Preset:
    """A preset by its name or its folder.

    Args:
        preset: A name (see `presets()`), or a folder with `results.json`.

    Returns:
        The `Preset`, whose weights are not read yet.

    Raises:
        ValueError: On an unknown name, with the nearest ones, or a folder without figures.
    """
    path = Path(preset)
    if path.is_dir():
        return Preset(path.resolve().name, path, read_results(path))
    known = presets()
    if str(preset) in known:
        return known[str(preset)]
    near = difflib.get_close_matches(str(preset), known, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "presets() lists them."
    raise ValueError(
        f"Expected the name of a preset ({', '.join(known) or 'none is installed'}), a folder or "
        f"a .keras file. Received: {str(preset)!r}. {hint}"
    )


def _load(preset: Preset) -> keras.Model:
    if "sha256" not in preset.results:
        raise ValueError(
            f"Expected the sha256 of {ENCODER} in {preset.folder / RESULTS}. Received: keys "
            f"{sorted(preset.results)}. Give the path of the .keras file to load it unchecked."
        )
    path = preset.folder / ENCODER
    if path.is_file():  # else the next line says what is missing
        check_sha256(path, preset.results["sha256"])
    return read_encoder(path)
