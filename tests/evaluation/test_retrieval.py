"""Retrieval against a sort of all candidates, and what is refused."""

import sys

import numpy as np
import pytest

from keras_contrastive.evaluation import retrieval

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(12, 5))
OWNERS = np.concatenate([np.arange(12), RNG.integers(0, 12, 28)])  # one to several captions
TEXTS = IMAGES[OWNERS] + 1.2 * RNG.normal(size=(40, 5))


WAYS = ("image_to_text", "text_to_image")


def by_sorting(images, texts, owners, k):
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    texts = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    cosines = images @ texts.T
    found_texts = [
        any(owners[text] == image for text in np.argsort(-cosines[image])[:k])
        for image in range(len(images))
    ]
    found_images = [owners[text] in np.argsort(-cosines[:, text])[:k] for text in range(len(texts))]
    return np.mean(found_texts), np.mean(found_images)


def test_it_is_what_sorting_gives(monkeypatch):
    module = sys.modules["keras_contrastive.evaluation.retrieval"]  # the name is the function's
    monkeypatch.setattr(module, "_TILE", 7)
    found = retrieval(3.0 * IMAGES, TEXTS, OWNERS, ks=(1, 3, 12))
    for k in (1, 3, 12):
        to_text, to_image = by_sorting(IMAGES, TEXTS, OWNERS, k)
        assert found[f"image_to_text_r{k}"] == pytest.approx(to_text)
        assert found[f"text_to_image_r{k}"] == pytest.approx(to_image)
    assert 0.1 < found["text_to_image_r1"] < found["text_to_image_r3"] < 1
    assert found["text_to_image_r12"] == 1


def test_by_default_row_belongs_to_row():
    found = retrieval(IMAGES, IMAGES)
    assert set(found) == {f"{way}_r{k}" for way in WAYS for k in (1, 5, 10)}
    assert set(found.values()) == {1.0}


def test_embeddings_that_are_all_equal_find_nothing():
    found = retrieval(np.ones((12, 3)), np.ones((40, 3)), OWNERS)
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IMAGES, TEXTS), r"image_of_text of shape \(40,\)"),
        ((IMAGES, TEXTS, OWNERS[:39]), r"image_of_text of shape \(40,\)"),
        ((IMAGES, TEXTS, OWNERS + 1), "0 to 11. Received: labels from 1 to 12"),
        ((IMAGES, TEXTS, np.maximum(OWNERS, 2)), "none for 2 of them.*image 0"),
        ((IMAGES, TEXTS[:, :3], OWNERS), "same dimension"),
        ((IMAGES * np.nan, TEXTS, OWNERS), "finite"),
        ((IMAGES[:3], IMAGES[:3]), r"number of images, 3. Received: ks=\[1, 5, 10\]"),
        ((IMAGES, TEXTS, OWNERS, []), r"Received: ks=\[\]"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        retrieval(*arguments)
