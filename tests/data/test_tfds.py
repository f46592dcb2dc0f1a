import warnings

import numpy as np
import pytest

from keras_contrastive.data import from_tfds, load
from keras_contrastive.data.tfds import read_builder

pytestmark = pytest.mark.filterwarnings("ignore")  # of TensorFlow Datasets itself

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("tensorflow")
    tfds = pytest.importorskip("tensorflow_datasets")


def test_by_name():
    with tfds.testing.mock_data(num_examples=6):
        source = load("tfds:cifar10")
        assert source.images.shape == (6, 32, 32, 3)
        assert source.images.dtype == np.uint8
        assert source.labels.shape == (6,)
        assert source.num_classes == 10
        plain = load("cifar10", image_size=16, split="test")
        assert plain.images.shape == (6, 16, 16, 3)
        gray = load("tfds:mnist")
        assert gray.images.shape == (6, 28, 28, 1)


def test_mixed_sizes_need_an_image_size():
    with tfds.testing.mock_data(num_examples=4):
        assert load("tfds:oxford_iiit_pet", image_size=8).images.shape == (4, 8, 8, 3)
        with pytest.raises(ValueError, match="an image_size to resize them to"):
            load("tfds:oxford_iiit_pet")


def test_a_local_folder(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    for split, count in (("train", 3), ("test", 1)):
        for value, name in ((0, "cat"), (255, "dog")):
            for number in range(count):
                path = tmp_path / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image_module.fromarray(np.full((5, 5, 3), value, "uint8")).save(path)
    source = read_builder(tfds.ImageFolder(str(tmp_path)), split="train")
    assert source.class_names == ("cat", "dog")
    np.testing.assert_array_equal(source.labels, source.images[:, 0, 0, 0] > 100)
    assert len(source) == 6
    assert len(read_builder(tfds.ImageFolder(str(tmp_path)), split="test")) == 2


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="Received: 'cifar11'"):
        from_tfds("cifar11", download=False)


def test_data_without_images_is_refused():
    with (
        tfds.testing.mock_data(num_examples=2),
        pytest.raises(ValueError, match=r"feature image\. Received: 'imdb_reviews'"),
    ):
        load("tfds:imdb_reviews")
