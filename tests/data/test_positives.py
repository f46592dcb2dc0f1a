"""A positive of each image, from every kind of bank."""

import keras
import numpy as np
import pytest

from keras_contrastive.data import with_positives

NUM, CANDIDATES = 6, 3
IMAGES = np.zeros((NUM, 4, 5, 3), "uint8")
# Pixel values tell row and candidate: 10 * row + candidate.
CODES = 10 * np.arange(NUM)[:, None] + np.arange(CANDIDATES)
BANK = (CODES[:, :, None, None, None] * np.ones((1, 1, 4, 5, 3))).astype("uint8")


def codes(batches):
    """(Rows, codes of the positives) of an epoch, in the order of the rows."""
    parts = [batches[i] for i in range(len(batches))]
    rows = np.concatenate([part["index"] for part in parts])
    found = np.concatenate([part["positive"][:, 0, 0, 0] for part in parts])
    return found[np.argsort(rows)]


def test_each_row_gets_one_of_its_own():
    batches = with_positives(IMAGES, BANK, batch_size=4)
    assert batches[0]["positive"].shape == (4, 4, 5, 3)
    found = codes(batches)
    np.testing.assert_array_equal(found // 10, np.arange(NUM))
    assert (found % 10 < CANDIDATES).all()


def test_candidates_change_from_epoch_to_epoch_and_follow_the_seed():
    batches = with_positives(IMAGES, BANK, batch_size=4, threads=2)
    epochs = []
    for _ in range(12):
        epochs.append(codes(batches))
        batches.on_epoch_end()
    assert {code % 10 for epoch in epochs for code in epoch} == {0, 1, 2}
    np.testing.assert_array_equal(epochs[0], codes(with_positives(IMAGES, BANK, batch_size=4)))
    batches.epoch = 0
    np.testing.assert_array_equal(epochs[0], codes(batches))
    others = codes(with_positives(IMAGES, BANK, batch_size=4, seed=7))
    assert (others != epochs[0]).any()


def test_labels_travel_along():
    labels = np.arange(NUM) % 2
    inputs, y = with_positives(IMAGES, BANK, labels, batch_size=4)[0]
    np.testing.assert_array_equal(y, inputs["index"] % 2)
    assert set(inputs) == {"inputs", "index", "positive"}


def test_a_file_is_read_as_needed(tmp_path):
    np.save(tmp_path / "bank.npy", BANK)
    found = codes(with_positives(IMAGES, tmp_path / "bank.npy", batch_size=4))
    np.testing.assert_array_equal(found, codes(with_positives(IMAGES, BANK, batch_size=4)))


def test_one_candidate_each():
    found = codes(with_positives(IMAGES, BANK[:, 1], batch_size=4))
    np.testing.assert_array_equal(found, CODES[:, 1])


def test_a_function():
    def bank(rows, rng):
        return BANK[rows, rng.integers(2, size=len(rows))]

    found = codes(with_positives(IMAGES, bank, batch_size=4))
    np.testing.assert_array_equal(found // 10, np.arange(NUM))
    assert (found % 10 < 2).all()


def test_a_folder_with_a_sub_folder_a_row(tmp_path):
    pytest.importorskip("PIL")
    for row in range(NUM):
        folder = tmp_path / f"{row:05d}"
        folder.mkdir()
        for candidate in range(row % 2 + 1):
            keras.utils.save_img(
                folder / f"{candidate}.png", np.full((8, 10, 3), CODES[row, candidate]), scale=False
            )
    (tmp_path / "notes").mkdir()
    batches = with_positives(IMAGES, tmp_path, batch_size=4)
    assert batches[0]["positive"].shape == (4, 4, 5, 3)
    np.testing.assert_array_equal(codes(batches) // 10, np.arange(NUM))
    (tmp_path / "00002" / "0.png").unlink()
    with pytest.raises(ValueError, match="none for 1 rows, the first 2"):
        with_positives(IMAGES, tmp_path)


@pytest.mark.parametrize(
    ("bank", "message"),
    [
        (BANK[:5], r"shape \(6, candidates, 4, 5, 3\).*\(5, 3, 4, 5, 3\)"),
        (BANK[:, :, :2], r"Received: \(6, 3, 2, 5, 3\)"),
        (BANK[:, :0], r"Received: \(6, 0"),
        (BANK.astype("int32"), "uint8"),
        ("nowhere.npy", "Expected a folder or an .npy file"),
        (None, "Received: NoneType"),
    ],
)
def test_refuses(bank, message):
    with pytest.raises(ValueError, match=message):
        with_positives(IMAGES, bank)


def test_refuses_what_a_function_should_not_return():
    batches = with_positives(IMAGES, lambda rows, rng: BANK[rows], batch_size=4)
    with pytest.raises(ValueError, match=r"one positive an image.*\(4, 3, 4, 5, 3\)"):
        batches[0]
