import io

import numpy as np
import pytest

from keras_contrastive.data import Source, digits, from_arrays, load, train_holdout_split


def rng():
    return np.random.default_rng(0)


def pictures(n=4, size=(6, 5), channels=3):
    return rng().integers(0, 256, (n, *size, channels), "uint8")


def encoded(images, kind="PNG"):
    """Images as encoded bytes end to end, with offsets."""
    image = pytest.importorskip("PIL.Image")
    parts = []
    for array in images:
        buffer = io.BytesIO()
        image.fromarray(array).save(buffer, kind)
        parts.append(np.frombuffer(buffer.getvalue(), "uint8"))
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


def test_arrays_are_kept():
    images, labels = pictures(), np.array([0, 1, 2, 0])
    source = load((images, labels))
    assert source.images is images
    assert source.labels.tolist() == [0, 1, 2, 0]
    assert (len(source), source.num_classes, source.class_names) == (4, 3, None)
    assert load(images).labels is None
    assert load(images).num_classes is None
    assert load(source).images is images


def test_gray_images_get_their_axis_and_columns_of_labels_lose_theirs():
    source = load((np.zeros((2, 28, 28), "uint8"), np.array([[3], [1]])))
    assert source.images.shape == (2, 28, 28, 1)
    assert source.labels.tolist() == [3, 1]


def test_one_image_is_not_taken_for_gray_ones():
    with pytest.raises(ValueError, match=r"images\[None\] for one image"):
        load(np.zeros((28, 28, 3), "uint8"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.full((2, 4, 4, 3), 255.0),), r"float images in \[0, 1\]"),
        ((pictures(), np.arange(3)), r"one label an image \(4\). Received: 3"),
        ((pictures(), np.array([0, 1, 2, 1]), ["a", "b"]), r"in 0..1 \(num_classes=2\)"),
    ],
)
def test_bad_arrays_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(*arguments)


def test_resizing_keeps_dtype_and_range():
    flat = np.full((3, 8, 8, 1), 200, "uint8")
    resized = from_arrays(flat, image_size=(4, 6)).images
    assert (resized.shape, resized.dtype) == ((3, 4, 6, 1), np.uint8)
    assert (resized == 200).all()
    edges = np.zeros((3, 8, 8, 1), "float32")
    edges[:, :, 4:] = 1.0
    large = from_arrays(edges, image_size=32).images
    assert large.dtype == np.float32
    assert (large.min(), large.max()) == (0.0, 1.0)


def test_resizing_agrees_with_pillow():
    image = pytest.importorskip("PIL.Image")
    ramp = np.add.outer(np.arange(32), 2 * np.arange(32)).astype("uint8")[None, ..., None]
    ours = from_arrays(ramp, image_size=8).images[0, ..., 0]
    theirs = np.asarray(image.fromarray(ramp[0, ..., 0]).resize((8, 8), image.Resampling.BICUBIC))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_resizing_in_chunks_loses_none():
    images = np.arange(1100, dtype="uint16").astype("uint8")[:, None, None, None]
    images = np.broadcast_to(images, (1100, 2, 2, 1))
    resized = from_arrays(images, image_size=3).images
    np.testing.assert_array_equal(resized[:, 1, 1, 0], images[:, 0, 0, 0])


@pytest.mark.parametrize(
    "keys", [("images", "labels"), ("x", "y"), ("x_train", "y_train")], ids=lambda keys: keys[0]
)
def test_npz(tmp_path, keys):
    images, labels = pictures(), np.arange(4)
    np.savez(tmp_path / "data.npz", **{keys[0]: images, keys[1]: labels})
    source = load(tmp_path / "data.npz")
    np.testing.assert_array_equal(source.images, images)
    np.testing.assert_array_equal(source.labels, labels)


def test_npz_splits_names_and_no_labels(tmp_path):
    images = pictures()
    path = tmp_path / "data.npz"
    np.savez(path, x_train=images[:3], x_test=images[3:], y_test=[1], classes=["cat", "dog"])
    assert len(load(str(path))) == 3
    assert load(path).labels is None
    test = load(path, split="test")
    assert (test.labels.tolist(), test.class_names) == ([1], ("cat", "dog"))
    assert load(path, image_size=2).images.shape == (3, 2, 2, 3)


def test_npz_of_encoded_images(tmp_path):
    images = pictures(5)
    jpeg, offsets = encoded(images)
    path = tmp_path / "data.npz"
    np.savez(path, jpeg=jpeg, offsets=offsets, labels=np.arange(5))
    np.testing.assert_array_equal(load(path).images, images)
    np.savez(path, jpeg=jpeg[:-3], offsets=offsets)
    with pytest.raises(ValueError, match=r"end at the length of jpeg.* damaged"):
        load(path)
    jpeg, offsets = encoded([*images, pictures(1, (3, 3))[0]])
    np.savez(path, jpeg=jpeg, offsets=offsets)
    with pytest.raises(ValueError, match=r"images of one size.* Received: 2 sizes"):
        load(path)


def test_damaged_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, images=pictures(20))
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", whole[:-30], b"no archive"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"Expected an \.npz file.* damaged"):
            load(path)


def test_npz_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, pictures=pictures())
    with pytest.raises(ValueError, match=r"x_train in .* Received: keys \['pictures'\]"):
        load(path)
    np.savez(path, images=np.array([pictures()[0], None], object))
    with pytest.raises(ValueError, match="holds Python objects"):
        load(path)
    with pytest.raises(ValueError, match=r"missing\.npz, which does not exist"):
        load(tmp_path / "missing.npz")


def test_digits():
    source = load("digits")
    assert (source.images.shape, source.images.dtype) == ((1797, 8, 8, 1), np.float32)
    assert (source.images.min(), source.images.max()) == (0.0, 1.0)
    assert source.class_names == tuple("0123456789")
    assert np.bincount(source.labels).min() > 170
    assert digits(image_size=16).images.shape == (1797, 16, 16, 1)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "Expected an array.* Received: int"),
        ("./nowhere", "Expected a folder. Received: ./nowhere, which does not exist"),
        ("/nowhere/at/all", "which does not exist"),
    ],
)
def test_other_sources_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        load(source)


def test_a_single_file_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"Expected an \.npz file or a folder. Received: the file"):
        load(tmp_path / "a.png")


def test_subset():
    source = Source(pictures(), np.array([0, 1, 2, 0]), ("a", "b", "c"))
    part = source.subset(np.array([3, 1]))
    np.testing.assert_array_equal(part.images, source.images[[3, 1]])
    assert (part.labels.tolist(), part.class_names) == ([0, 1], ("a", "b", "c"))


def test_split_is_stratified_and_complete():
    labels = rng().permutation(np.repeat([0, 1, 2], [100, 50, 4]))
    train, holdout = train_holdout_split(labels, fraction=0.2, seed=1)
    assert sorted([*train, *holdout]) == list(range(154))
    assert np.bincount(labels[holdout]).tolist() == [20, 10, 1]
    again = train_holdout_split(labels, fraction=0.2, seed=1)
    np.testing.assert_array_equal(again[1], holdout)
    other = train_holdout_split(labels, fraction=0.2, seed=2)
    assert other[1].tolist() != holdout.tolist()


def test_split_leaves_every_class_in_training():
    labels = np.array([0, 0, 1, 1, 2])
    train, holdout = train_holdout_split(labels, fraction=0.9)
    assert sorted(labels[train]) == [0, 1, 2]
    assert sorted(labels[holdout]) == [0, 1]


def test_split_of_rows_without_labels():
    train, holdout = train_holdout_split(1000, fraction=0.25)
    assert (len(train), len(holdout)) == (750, 250)
    assert abs(holdout.mean() - 500) < 60  # spread over all rows: four standard errors


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [
        (10, 0.0, r"fraction in \(0, 1\)"),
        (10, 1.0, r"fraction in \(0, 1\)"),
        (np.arange(5), 0.5, "class with at least two rows"),
        (1, 0.5, "class with at least two rows"),
        (np.zeros(4), 0.5, "integer labels"),
    ],
)
def test_split_refuses(labels, fraction, message):
    with pytest.raises(ValueError, match=message):
        train_holdout_split(labels, fraction)
