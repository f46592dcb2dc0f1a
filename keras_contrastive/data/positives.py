"""Images with another positive of each, from a bank that is read while the model trains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from keras_contrastive.data.batches import Indexed
from keras_contrastive.data.checks import check_images, check_labels
from keras_contrastive.data.images import EXTENSIONS, decode, pillow

Read: TypeAlias = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class WithPositives(Indexed):
    """Batches `{"inputs": images, "index": rows, "positive": others}`, with labels where given."""

    def __init__(self, images: Any, read_positives: Read, labels: Any = None, **kwargs: Any):
        super().__init__(images, labels, **kwargs)
        self.read_positives = read_positives

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows."""
        batch = super().read(rows)
        inputs = batch if self.labels is None else batch[0]
        # By the first row too: threads read batches in any order.
        rng = np.random.default_rng((self.seed, self.epoch, int(rows[0])))
        positive = np.asarray(self.read_positives(rows, rng))
        expected = inputs["inputs"].shape
        if positive.shape != expected:
            raise ValueError(
                f"Expected one positive an image from the bank, of shape {expected}. "
                f"Received: shape {positive.shape}."
            )
        inputs["positive"] = positive
        return batch


def with_positives(
    images: Any, bank: Any, labels: Any = None, batch_size: int = 256, **kwargs: Any
) -> WithPositives:
    """Batches that pair each image with one of its positives in a bank, drawn anew every epoch.

    For methods with the addition `keras_contrastive.CLSP`. Only what a batch needs is read.

    | bank | positives of row i |
    | --- | --- |
    | array `(N, C, H, W, 3)`, or `(N, H, W, 3)` with one each; also a memory map | `bank[i]` |
    | `"file.npy"` | the same, read from the disk as needed |
    | a folder | the images in its sub-folder named `i` (`7`, or `00007`) |
    | a function of rows `(B,)` and a `numpy.random.Generator` | what it returns, `(B, H, W, 3)` |

    Args:
        images: Array `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].
        bank: See the table; of the size of the images, except in a folder, whose files are resized.
        labels: Integer array `(N,)`, or `None`.
        batch_size: Images a batch.
        **kwargs: `shuffle`, `seed`, `drop_remainder` and `threads` of `Batches`.

    Returns:
        A `keras.utils.PyDataset` of `{"inputs": images, "index": int32 numbers, "positive":
        others}`, or of pairs of that and the labels.

    Raises:
        ValueError: On images or labels that `check_images` or `check_labels` refuse, or a bank that
            does not have a positive of the right shape for each image.

    Example:

    >>> images = np.zeros((4, 8, 8, 1), "uint8")
    >>> bank = np.arange(4, dtype="uint8")[:, None, None, None, None] * np.ones((1, 3, 8, 8, 1))
    >>> batches = with_positives(images, bank.astype("uint8"), batch_size=2)
    >>> batch = batches[0]
    >>> bool((batch["positive"][:, 0, 0, 0] == batch["index"]).all())
    True

    Reference:
        Zeng et al., "Contrastive Learning with Synthetic Positives", 2024.
    """
    images = np.asarray(images)
    check_images(images)
    if labels is not None:
        labels = np.asarray(labels)
        check_labels(labels, num_images=len(images))
    return WithPositives(images, _open(bank, images), labels, batch_size=batch_size, **kwargs)


def _open(bank: Any, images: np.ndarray) -> Read:
    if callable(bank):
        return bank
    if isinstance(bank, (str, Path)):
        path = Path(bank)
        if path.is_dir():
            return _folder(path, images.shape)
        if path.suffix != ".npy" or not path.is_file():
            raise ValueError(f"Expected a folder or an .npy file as bank. Received: {path}.")
        bank = np.load(path, mmap_mode="r")
    return _array(bank, images)


def _array(bank: Any, images: np.ndarray) -> Read:
    shape = tuple(getattr(bank, "shape", ()))
    if shape[:1] + shape[-3:] != images.shape or len(shape) not in (4, 5) or 0 in shape:
        size = ", ".join(map(str, images.shape[1:]))
        raise ValueError(
            f"Expected a bank of shape ({len(images)}, candidates, {size}) or ({len(images)}, "
            f"{size}), as the images are. Received: {shape or type(bank).__name__}."
        )
    check_images(bank[:1].reshape(-1, *shape[-3:]))
    if len(shape) == 4:
        return lambda rows, rng: bank[rows]
    return lambda rows, rng: bank[rows, rng.integers(shape[1], size=len(rows))]


def _folder(folder: Path, shape: tuple[int, ...]) -> Read:
    pillow()
    found = {int(sub.name): sub for sub in folder.iterdir() if sub.is_dir() and sub.name.isdigit()}
    files = [
        sorted(p for p in found[row].iterdir() if p.suffix.lower() in EXTENSIONS)
        if row in found
        else []
        for row in range(shape[0])
    ]
    missing = [row for row, paths in enumerate(files) if not paths]
    if missing:
        raise ValueError(
            f"Expected images in a sub-folder for each of the {shape[0]} rows in {folder}, such as "
            f"{folder / '0'}. Received: none for {len(missing)} rows, the first {missing[0]}."
        )

    def read(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        chosen = [files[row][rng.integers(len(files[row]))] for row in rows]
        return np.stack([decode(path, (shape[1], shape[2]), shape[3]) for path in chosen])

    return read
