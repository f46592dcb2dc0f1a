"""Images and their captions, from a CSV file."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive.data.batches import Batches
from keras_contrastive.data.images import as_size, read_image


class CaptionedImages(Batches):
    """Images of a folder with captions, decoded in threads while the model trains.

    The CSV file has a header and a line for each caption; an image with several captions comes in
    several lines. A batch is `((images, token_ids),)`, of different images, each with one of its
    captions, drawn anew in every epoch. Images are uint8 and have one size.

    Args:
        captions: The CSV file, in UTF-8.
        image_size: One number or `(height, width)`.
        tokenizer: A function from a list of N strings to token ids `(N, L)`, always of the same
            length L.
        batch_size: Images a batch. Default 256.
        image_column: Name of the column of paths, relative to the file's folder.
        caption_column: Name of the column of captions.
        crop_to_aspect_ratio: Crop the middle where the proportions differ, instead of distorting.
        shuffle: Draw a new order for every epoch.
        seed: Of the orders and of the captions.
        drop_remainder: Leave out the last batch of an epoch where it is smaller.
        threads: Number of threads that decode, each two batches ahead.

    Attributes:
        paths: The I image files, in the order of their first line.
        captions: The T captions, in the order of the lines.
        image_of_text: Row in `paths` of each caption, `(T,)`, as `evaluation.retrieval` takes it.

    Raises:
        ValueError: On a file without these columns or without lines, and on lines with too many
            values, without a caption, or whose image does not exist.

    Example:

    >>> import keras, tempfile
    >>> from keras_contrastive.encoders import ByteTokenizer
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat.png", "dog.png"):
    ...     keras.utils.save_img(folder / name, np.zeros((9, 12, 3)))
    >>> lines = ["image,caption", "cat.png,a cat", "cat.png,a grey cat", "dog.png,a dog"]
    >>> _ = (folder / "captions.csv").write_text("\\n".join(lines))
    >>> data = CaptionedImages(folder / "captions.csv", 8, ByteTokenizer(16), batch_size=2)
    >>> ((images, token_ids),) = data[0]
    >>> images.shape, token_ids.shape, data.image_of_text.tolist()
    ((2, 8, 8, 3), (2, 16), [0, 0, 1])
    """

    def __init__(
        self,
        captions: str | Path,
        image_size: int | tuple[int, int],
        tokenizer: Callable[[list[str]], Any],
        batch_size: int = 256,
        image_column: str = "image",
        caption_column: str = "caption",
        crop_to_aspect_ratio: bool = True,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        threads: int = 4,
    ):
        lines = _lines(Path(captions), image_column, caption_column)
        found = {path: row for row, path in enumerate(dict.fromkeys(path for path, _ in lines))}
        self.paths = [*found]
        self.captions = [caption for _, caption in lines]
        self.image_of_text = np.array([found[path] for path, _ in lines])
        self._texts: list[list[str]] = [[] for _ in self.paths]
        for path, caption in lines:
            self._texts[found[path]].append(caption)
        self.image_size = as_size(image_size)
        self.tokenizer = tokenizer
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        super().__init__(
            len(self.paths),
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            drop_remainder=drop_remainder,
            threads=threads,
        )

    def read(self, rows: np.ndarray) -> Any:
        """Decode the images of these rows and draw their captions."""
        rng = np.random.default_rng((self.seed, self.epoch, *rows))
        texts = [self._texts[row][rng.integers(len(self._texts[row]))] for row in rows]
        images = np.stack([self._decode(self.paths[row]) for row in rows])
        return ((images, self.tokenizer(texts)),)

    def load_images(self) -> np.ndarray:
        """Decode all images, `(I, height, width, 3)`, in the order of `paths`."""
        with ThreadPoolExecutor() as pool:
            return np.stack(list(pool.map(self._decode, self.paths)))

    def _decode(self, path: Path) -> np.ndarray:
        return read_image(path, self.image_size, 3, self.crop_to_aspect_ratio)


def _lines(file: Path, image_column: str, caption_column: str) -> list[tuple[Path, str]]:
    """Path and caption of each line."""
    if not file.is_file():
        raise ValueError(f"Expected a CSV file. Received: {file}, which does not exist.")
    with file.open(encoding="utf-8-sig", newline="") as content:
        reader = csv.DictReader(content)
        columns = reader.fieldnames or []
        if not {image_column, caption_column} <= {*columns}:
            raise ValueError(
                f"Expected columns {image_column!r} and {caption_column!r} in {file}. Received: "
                f"{[*columns]}. Name them with image_column and caption_column."
            )
        read = [*reader]
    for number, line in enumerate(read, start=1):
        if None in line:  # what is beyond the header's columns
            raise ValueError(
                f"Expected as many values in each line of {file} as its header has. Received: "
                f"{line} at number {number} below it. Put captions with commas in double quotes."
            )
    lines = [(file.parent / (line[image_column] or ""), line[caption_column]) for line in read]
    if not lines:
        raise ValueError(f"Expected lines below the header of {file}. Received: none.")
    missing = [path for path in dict.fromkeys(path for path, _ in lines) if not path.is_file()]
    if missing:
        raise ValueError(
            f"Expected images that exist, relative to {file.parent}. Received: {len(missing)} "
            f"that do not, the first of which is {missing[0]}."
        )
    for number, (path, caption) in enumerate(lines, start=1):
        if not (caption or "").strip():
            raise ValueError(
                f"Expected a caption in every line of {file}. Received: none for {path.name}, "
                f"number {number} below the header. Leave the line out."
            )
    return lines
