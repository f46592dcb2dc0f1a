import threading

import keras
import numpy as np
import pytest

from keras_contrastive.data import ImageFolder, load
from keras_contrastive.data import folder as folder_module

image_module = pytest.importorskip("PIL.Image")


def write(path, array=None, size=(6, 9), value=0, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full((*size, 3), value, "uint8") if array is None else array
    image_module.fromarray(array).save(path, **kwargs)


@pytest.fixture
def classes(tmp_path):
    """Seven images of different sizes and formats in two class folders."""
    for number in range(4):
        write(tmp_path / "cat" / f"{number}.png", size=(6 + number, 9), value=10 * number)
    for number in range(3):
        write(tmp_path / "dog" / "deeper" / f"{number}.jpg", size=(40, 30), value=200)
    return tmp_path


def batches(data):
    return [data[i] for i in range(len(data))]


def test_class_folders(classes):
    data = ImageFolder(classes, image_size=8, batch_size=3, shuffle=False)
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert data.unreadable == {}
    shapes = [(images.shape, images.dtype, len(labels)) for images, labels in batches(data)]
    assert shapes == [((n, 8, 8, 3), np.uint8, n) for n in (3, 3, 1)]
    images, labels = data[1]
    np.testing.assert_array_equal(images[0], 30)
    np.testing.assert_allclose(images[1], 200, atol=2)  # JPEG
    assert labels.tolist() == [0, 1, 1]


def test_shuffled_images_keep_their_labels(classes):
    data = ImageFolder(classes, image_size=8, batch_size=2, seed=5)
    order = []
    for images, labels in batches(data):
        np.testing.assert_array_equal(labels, images[:, 0, 0, 0] > 100)
        order += labels.tolist()
    assert sorted(order) == [0, 0, 0, 0, 1, 1, 1]
    assert order != sorted(order)


def test_flat_folders_have_no_labels(tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.png", value=number)
    data = load(tmp_path, batch_size=2, shuffle=False)
    assert data.labels is None
    assert data.class_names is None
    assert [batch[:, 0, 0, 0].tolist() for batch in batches(data)] == [[0, 1], [2]]
    assert data[0].shape == (2, 6, 9, 3)  # their own size


def test_labels_by_request(classes):
    assert ImageFolder(classes, 8, labels=False)[0].shape == (7, 8, 8, 3)
    write(classes / "loose.png")
    assert ImageFolder(classes, 8).labels is None
    with pytest.raises(ValueError, match="Received: 1 images directly in"):
        ImageFolder(classes, 8, labels=True)
    one = classes / "cat"
    assert ImageFolder(one, 8).labels is None
    (classes / "loose.png").rename(one / "9.png")
    assert ImageFolder(classes, 8, labels=True).num_rows == 8


def test_mixed_sizes_need_an_image_size(classes):
    with pytest.raises(ValueError, match=r"an image_size to resize them to. Received: 5 different"):
        ImageFolder(classes)


def test_proportions_are_kept_by_cropping_the_middle(tmp_path):
    array = np.zeros((10, 30, 3), "uint8")
    array[:, 10:20] = 255
    write(tmp_path / "a.png", array)
    cropped = ImageFolder(tmp_path, image_size=10)[0][0]
    assert cropped.min() == 255
    squeezed = ImageFolder(tmp_path, image_size=10, crop_to_aspect_ratio=False)[0][0]
    assert squeezed[5, 0, 0] == 0
    assert squeezed[5, 5, 0] > 250


def test_height_comes_before_width(tmp_path):
    write(tmp_path / "a.png")
    assert ImageFolder(tmp_path, image_size=(5, 7))[0].shape == (1, 5, 7, 3)


def test_large_jpegs_decode_to_the_same_picture(tmp_path):
    """The quick decoding at a fraction of the size does not change what is seen."""
    ramp = np.linspace(0, 255, 800).astype("uint8")
    array = np.stack([np.tile(ramp, (600, 1))] * 3, -1)
    write(tmp_path / "a.jpg", array, quality=95)
    data = ImageFolder(tmp_path, image_size=(60, 80))
    expected = array.reshape(60, 10, 80, 10, 3).mean((1, 3))
    np.testing.assert_allclose(data[0][0], expected, atol=4)


def test_other_modes_of_pixels(tmp_path):
    """Gray, palette, transparent, 16 bits (scaled, not clipped) and 1 bit come as RGB."""
    values = np.array([[0, 128], [200, 255]], "uint8")
    rgba = np.stack([values, values, values, np.full_like(values, 255)], -1)
    image_module.fromarray(values).save(tmp_path / "a_gray.png")
    image_module.fromarray(values).convert("P").save(tmp_path / "b_palette.png")
    image_module.fromarray(rgba).save(tmp_path / "c_rgba.png")
    image_module.fromarray(values.astype("uint16") << 8).save(tmp_path / "d_16.png")
    data = ImageFolder(tmp_path, shuffle=False)
    expected = np.repeat(values[..., None], 3, -1)
    np.testing.assert_array_equal(data[0], np.stack([expected] * 4))
    gray = ImageFolder(tmp_path, channels=1, shuffle=False)
    np.testing.assert_array_equal(gray[0], np.stack([values[..., None]] * 4))


@pytest.mark.parametrize("verify", [True, False])
def test_images_are_turned_as_their_exif_says(tmp_path, verify):
    image = image_module.fromarray(np.zeros((4, 8, 3), "uint8"))
    exif = image.getexif()
    exif[0x0112] = 6  # turn by a quarter
    image.save(tmp_path / "a.jpg", exif=exif)
    assert ImageFolder(tmp_path, verify=verify)[0].shape == (1, 8, 4, 3)


def spoil(folder):
    """Five files that are no images, and what a warning calls them."""
    good = folder / "cat" / "0.png"
    (folder / "cat" / "cut.png").write_bytes(good.read_bytes()[:-25])
    write(
        folder / "cat" / "cut.jpg", np.random.default_rng(0).integers(0, 255, (60, 60, 3), "uint8")
    )
    whole = (folder / "cat" / "cut.jpg").read_bytes()
    (folder / "cat" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "empty.png").write_bytes(b"")
    (folder / "dog" / "text.jpg").write_text("no image")
    (folder / "notes.txt").write_text("by its name")
    (folder / ".hidden").write_text("ignored")
    return ["cut.png", "cut.jpg", "empty.png", "text.jpg", "notes.txt"]


def test_unreadable_files_are_named_in_one_warning(classes):
    names = spoil(classes)
    with pytest.warns(UserWarning, match="5 of 12 files in") as caught:
        data = ImageFolder(classes, image_size=8)
    assert len(caught) == 1
    assert all(name in str(caught[0].message) for name in names)
    assert ".hidden" not in str(caught[0].message)
    assert sorted(path.name for path in data.unreadable) == sorted(names)
    assert data.num_rows == 7
    assert data.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert "not an image by its name" in data.unreadable[classes / "notes.txt"]


def test_many_unreadable_files_are_counted_and_the_first_named(classes):
    for number in range(30):
        (classes / "cat" / f"bad{number:02}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"30 of 37 files.*bad19.*; and 10 more"):
        data = ImageFolder(classes, image_size=8)
    assert len(data.unreadable) == 30


def test_without_verification_a_damaged_file_is_an_error_when_it_comes(classes):
    path = classes / "cat" / "0.png"
    write(path, np.random.default_rng(0).integers(0, 255, (60, 60, 3), "uint8"))
    path.write_bytes(path.read_bytes()[:-3000])
    data = ImageFolder(classes, image_size=8, verify=False, shuffle=False)
    assert data.num_rows == 7
    with pytest.raises(ValueError, match=r"readable image. Received: .*0\.png .* verify=True"):
        data[0]


def test_folders_without_images(tmp_path):
    with pytest.raises(ValueError, match="with 0 files and no readable image"):
        ImageFolder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"broken")
    (tmp_path / "b.txt").write_text("text")
    with pytest.raises(ValueError, match=r"with 2 files and no readable image.*a\.png.*b\.txt"):
        ImageFolder(tmp_path)
    with pytest.raises(ValueError, match="which does not exist"):
        ImageFolder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 4}, "channels to be 1 or 3. Received: channels=4"),
        ({"image_size": 0}, "Received: image_size=0"),
        ({"image_size": (4, 4, 3)}, "Received: image_size="),
    ],
)
def test_refuses(classes, options, message):
    with pytest.raises(ValueError, match=message):
        ImageFolder(classes, **{"image_size": 8, **options})


def test_in_memory(classes):
    data = ImageFolder(classes, image_size=8, shuffle=True)
    source = data.in_memory()
    assert source.images.shape == (7, 8, 8, 3)
    assert source.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert source.class_names == ("cat", "dog")
    plain = ImageFolder(classes, image_size=8, shuffle=False)
    np.testing.assert_array_equal(source.images, plain[0][0])


def test_channels_first(classes):
    keras.config.set_image_data_format("channels_first")
    try:
        data = ImageFolder(classes, image_size=(8, 4))
        assert data[0][0].shape == (7, 3, 8, 4)
        assert data.in_memory().images.shape == (7, 3, 8, 4)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_decoding_overlaps_with_training(classes, monkeypatch):
    """While a training step waits, worker threads decode the batches that come next."""
    main = threading.get_ident()
    read, threads, ahead = folder_module.read_image, set(), threading.Event()
    data = ImageFolder(classes, image_size=8, batch_size=1, threads=2)
    counts = {"decoded": 0, "trained": 0}

    def watched(path, *args):
        counts["decoded"] += 1
        threads.add(threading.get_ident())
        if counts["decoded"] >= counts["trained"] + 3:
            ahead.set()
        return read(path, *args)

    monkeypatch.setattr(folder_module, "read_image", watched)

    class Wait(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            counts["trained"] += 1
            if batch == 1:  # the step stands still; only decoding can set the event
                assert ahead.wait(timeout=60)

    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[Wait()])
    assert counts["trained"] == 7
    assert threads - {main}


def test_fit_predict_and_evaluate_take_it(classes):
    data = ImageFolder(classes, image_size=8, batch_size=2, shuffle=False)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(data, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert data.epoch == 2
    assert np.isfinite(model.evaluate(data, verbose=0))
    unlabelled = ImageFolder(classes, image_size=8, batch_size=2, labels=False, shuffle=False)
    everything = unlabelled.in_memory().images.astype("float32")
    np.testing.assert_allclose(
        model.predict(unlabelled, verbose=0), model.predict(everything, verbose=0), rtol=1e-4
    )
