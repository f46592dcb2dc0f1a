"""A folder of image files as batches."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive.data.batches import Batches
from keras_contrastive.data.images import EXTENSIONS, as_size, decode, pillow, read_image
from keras_contrastive.data.source import Source

_NAMES_SHOWN = 20


class ImageFolder(Batches):
    """Images of a folder, decoded in threads while the model trains (with `fit(shuffle=False)`).

    With two or more sub-folders and no image beside them, each sub-folder is a class and batches
    are `(images, labels)`; else batches are images. Images are uint8 and have one size. Files that
    are no readable images are left out with one warning that counts and names them, and kept in
    `unreadable`. Hidden files are ignored.

    Args:
        folder: The folder, read with everything below it.
        image_size: One number or `(height, width)`. Default: the images' own size, which has to
            be the same for all.
        batch_size: Images a batch.
        labels: Whether sub-folders are classes. Default `None`: as found, see above.
        channels: 3 (RGB) or 1 (gray).
        crop_to_aspect_ratio: Crop the middle where the proportions differ, instead of distorting.
        verify: Decode every image once at the start. With `False` only the headers are read, and a
            file that is damaged further on is an error when its batch comes.
        shuffle: Draw a new order for every epoch.
        seed: Of the orders.
        drop_remainder: Leave out the last batch of an epoch where it is smaller.
        threads: Number of threads that decode, each two batches ahead.

    Attributes:
        paths: The files that are used, sorted.
        labels: Integer array `(N,)`, or `None`.
        class_names: Names of the sub-folders, sorted, or `None`.
        unreadable: Path -> reason, for the files that were left out.

    Raises:
        ValueError: On a folder without readable images, or images of different sizes without an
            image_size.

    Example:

    >>> import keras, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
    ...     (folder / name).parent.mkdir(exist_ok=True)
    ...     keras.utils.save_img(folder / name, np.zeros((9, 12, 3)))
    >>> data = ImageFolder(folder, image_size=8, batch_size=2, shuffle=False)
    >>> images, labels = data[0]
    >>> images.shape, labels.tolist(), data.class_names
    ((2, 8, 8, 3), [0, 0], ('cat', 'dog'))
    """

    def __init__(
        self,
        folder: str | Path,
        image_size: int | tuple[int, int] | None = None,
        batch_size: int = 256,
        labels: bool | None = None,
        channels: int = 3,
        crop_to_aspect_ratio: bool = True,
        verify: bool = True,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        threads: int = 4,
    ):
        if channels not in (1, 3):
            raise ValueError(f"Expected channels to be 1 or 3. Received: channels={channels}.")
        self.folder = Path(folder)
        self.image_size = None if image_size is None else as_size(image_size)
        self.channels = channels
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        files = _files(self.folder)
        sizes = self._probe(files, verify)
        self.paths = list(sizes)
        self.class_names = _class_names(self.folder, files, labels)
        self.labels = None
        if self.class_names is not None:
            numbers = {name: number for number, name in enumerate(self.class_names)}
            self.labels = np.array(
                [numbers[_class_name(self.folder, path)] for path in self.paths], "int32"
            )
        if self.image_size is None:
            self.image_size = _common_size(set(sizes.values()), self.folder)
        super().__init__(
            len(self.paths),
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            drop_remainder=drop_remainder,
            threads=threads,
        )

    def read(self, rows: np.ndarray) -> Any:
        """Decode the images of these rows."""
        images = np.stack([self._decode(self.paths[row]) for row in rows])
        return images if self.labels is None else (images, self.labels[rows])

    def in_memory(self) -> Source:
        """Decode everything into a `Source`, in the order of `paths`."""
        with ThreadPoolExecutor() as pool:
            images = np.stack(list(pool.map(self._decode, self.paths)))
        return Source(images, self.labels, self.class_names)

    def _decode(self, path: Path) -> np.ndarray:
        return read_image(path, self.image_size, self.channels, self.crop_to_aspect_ratio)

    def _probe(self, files: list[Path], verify: bool) -> dict[Path, tuple[int, int]]:
        """Sizes of the readable images; the others go to `unreadable`, with one warning."""
        pillow()

        def probe(path: Path) -> tuple[int, int] | str:
            if path.suffix.lower() not in EXTENSIONS:
                return "not an image by its name"
            try:
                return _size(path, verify, self.image_size)
            except Exception as error:  # whatever a damaged file makes Pillow raise
                return f"{type(error).__name__}: {error}"

        with ThreadPoolExecutor() as pool:
            found = dict(zip(files, pool.map(probe, files)))
        self.unreadable = {path: why for path, why in found.items() if isinstance(why, str)}
        sizes = {path: size for path, size in found.items() if not isinstance(size, str)}
        if not sizes:
            raise ValueError(
                f"Expected a folder with images. Received: {self.folder}, with {len(files)} files "
                f"and no readable image. {_listed(self.folder, self.unreadable)}".rstrip()
            )
        if self.unreadable:
            warnings.warn(
                f"{len(self.unreadable)} of {len(files)} files in {self.folder} are left out: "
                f"{_listed(self.folder, self.unreadable)}",
                stacklevel=3,
            )
        return sizes


def _files(folder: Path) -> list[Path]:
    """All files below the folder but hidden ones, sorted."""
    if not folder.is_dir():
        raise ValueError(f"Expected a folder. Received: {folder}, which does not exist.")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def _size(path: Path, verify: bool, image_size: tuple[int, int] | None) -> tuple[int, int]:
    """(height, width) of an image as it is decoded."""
    if verify and image_size is None:
        return decode(path).shape[:2]
    if verify:
        return decode(path, image_size).shape[:2]
    with pillow().open(path) as image:
        # 0x0112 is the EXIF tag of the orientation. A PNG's EXIF would decode the whole image.
        turned = "exif" in image.info and image.getexif().get(0x0112, 1) >= 5
        return image.size if turned else image.size[::-1]


def _class_name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).parts[0]


def _class_names(folder: Path, files: list[Path], labels: bool | None) -> tuple[str, ...] | None:
    """Names of the class folders, or `None` where the folder has no labels."""
    images = [path for path in files if path.suffix.lower() in EXTENSIONS]
    loose = [path for path in images if path.parent == folder]
    names = tuple(sorted({_class_name(folder, path) for path in images if path.parent != folder}))
    if labels is None:
        labels = len(names) > 1 and not loose
    if labels and (loose or not names):
        raise ValueError(
            f"Expected every image in a class folder (labels=True). Received: {len(loose)} images "
            f"directly in {folder}. Move them, or pass labels=False."
        )
    return names if labels else None


def _common_size(sizes: set[tuple[int, int]], folder: Path) -> tuple[int, int]:
    if len(sizes) > 1:
        raise ValueError(
            f"Expected images of one size, or an image_size to resize them to. Received: "
            f"{len(sizes)} different sizes in {folder}."
        )
    return next(iter(sizes))


def _listed(folder: Path, unreadable: dict[Path, str]) -> str:
    shown = [f"{p.relative_to(folder)} ({why})" for p, why in unreadable.items()][:_NAMES_SHOWN]
    more = len(unreadable) - len(shown)
    return "; ".join(shown) + (f"; and {more} more (see `unreadable`)" if more else "")
