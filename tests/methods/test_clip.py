"""CLIP and SigLIP: their steps, what they take and what they give."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.noise import NoiseViews
from tests.methods.parts import (
    clip,
    compiled,
    data,
    images,
    siglip,
    tiny_clip_projector,
    tiny_encoder,
    tiny_text_encoder,
    token_ids,
)

RATE = 0.1


def array(tensor):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(tensor)))


def pairs(num=16):
    return data(clip(), num)[0]


def text_features():
    """A text encoder that takes vectors of texts that another network has read."""
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(6)])


# -- the step -----------------------------------------------------------------------------------


def both_directions(logits, plain, bias):
    return (plain.cross_entropy(logits) + plain.cross_entropy(logits.T)) / 2


def every_pair(logits, plain, bias):
    import torch

    signs = 2 * torch.eye(len(logits)) - 1
    return torch.nn.functional.softplus(-signs * (logits + bias)).sum() / len(logits)


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (lambda: None, both_directions),
        (
            lambda: kc.losses.SigLIP(kc.layers.LearnedTemperature(0.07), kc.layers.LearnedBias(-2)),
            every_pair,
        ),
    ],
    ids=["clip", "siglip"],
)
def test_two_steps_are_those_of_the_formulas(loss, formula):
    torch = pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    rng = np.random.default_rng(0)
    pixels, texts = images(16)[0], rng.normal(size=(16, 5)).astype("float32")
    parts = {"image_projector": tiny_clip_projector, "text_projector": tiny_clip_projector}
    method = kc.CLIP(tiny_encoder(), text_features(), loss=loss(), **parts)
    compiled(method, keras.optimizers.SGD(RATE))
    towers = [
        plain.Double(method.encoder, method.image_projector),
        plain.Double(method.text_encoder, method.text_projector),
    ]
    start = [plain.copies(tower) for tower in towers]
    log_scale = torch.tensor(-np.log(0.07), requires_grad=True)
    bias = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
    for step in range(2):
        rows = slice(8 * step, 8 * step + 8)
        z_image, z_text = (
            plain.unit(tower(plain.as_torch(part[rows])))
            for tower, part in zip(towers, (pixels, texts), strict=True)
        )
        value = formula(z_image @ z_text.T * log_scale.exp(), plain, bias)
        numbers = torch.autograd.grad(
            value, [log_scale, bias], retain_graph=True, allow_unused=True
        )
        plain.sgd_step(value, towers, RATE)
        with torch.no_grad():
            for number, gradient in zip((log_scale, bias), numbers, strict=True):
                number -= 0.0 if gradient is None else RATE * gradient
    method.fit((pixels, texts), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(towers[0], method.encoder, method.image_projector)
    plain.assert_same(towers[1], method.text_encoder, method.text_projector)
    for tower, before in zip(towers, start, strict=True):
        plain.assert_moved(tower, before)
    found = method.contrastive_loss
    np.testing.assert_allclose(array(found.temperature.log_scale), log_scale.item(), rtol=1e-5)
    assert abs(log_scale.item() + np.log(0.07)) > 1e-3
    if formula is every_pair:
        np.testing.assert_allclose(array(found.bias.bias), bias.item(), rtol=1e-4)
        assert abs(bias.item() + 2.0) > 1e-3


def test_the_loss_does_not_ask_which_side_is_which():
    loss = clip().contrastive_loss
    z = np.random.default_rng(0).normal(size=(2, 8, 4)).astype("float32")
    np.testing.assert_allclose(
        array(loss.call(z[0], z[1])), array(loss.call(z[1], z[0])), rtol=1e-5
    )


def test_the_scale_is_clamped_after_the_step():
    method = compiled(clip(), keras.optimizers.SGD(1e-4))
    method.contrastive_loss.temperature.log_scale.assign(5.0)
    logs = method.fit(pairs(8), batch_size=8, epochs=2, verbose=0).history
    assert logs["scale"][0] == pytest.approx(np.exp(5.0), rel=1e-4)
    assert logs["scale"][1] == pytest.approx(100.0, rel=1e-4)
    assert float(array(method.scale)) <= 100.0 * (1 + 1e-5)


def test_what_is_logged_is_what_it_says():
    method = clip()
    pixels, texts = (ops.convert_to_tensor(part) for part in pairs(8))
    results = method.objective((pixels, texts))
    z_image, z_text = (array(z) for z in results["projections"])
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z_image, z_text)]
    cosines = unit[0] @ unit[1].T
    others = np.where(np.eye(8) > 0, -np.inf, cosines).max(axis=1)
    expected = np.mean(np.diag(cosines) > others)
    assert float(array(results["contrastive_accuracy"])) == pytest.approx(expected)
    loss = array(results["loss"]).mean()
    assert float(array(results["relative_loss"])) == pytest.approx(loss / np.log(8), rel=1e-5)
    assert float(array(results["scale"])) == pytest.approx(1 / 0.07, rel=1e-5)


def test_relative_loss_is_one_where_nothing_is_known():
    method = clip()
    method.image_projector.layers[0].kernel.assign(np.zeros((6, 4)))
    pixels, texts = (ops.convert_to_tensor(part) for part in pairs(8))
    results = method.objective((pixels, texts))
    assert float(array(results["relative_loss"])) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("make", [clip, siglip])
def test_pairs_find_each_other(make):
    """Images that it has not seen, and the texts of the four kinds."""
    method = compiled(make(), keras.optimizers.Adam(0.02))
    (pixels, texts), labels = data(method, 128)
    method.fit((pixels[:64], texts[:64]), batch_size=16, epochs=20, verbose=0)
    pixels, texts, labels = pixels[64:], texts[64:], labels[64:]
    similarity = method.embed_images(pixels) @ method.embed_texts(texts).T
    assert np.mean(labels[similarity.argmax(axis=1)] == labels) > 0.6  # by chance 0.25
    assert np.mean(labels[similarity.argmax(axis=0)] == labels) > 0.6


def test_micro_batches_leave_the_step_what_it_is():
    def network(*layers):
        keras.utils.set_random_seed(1)
        return keras.Sequential([*layers, keras.layers.Dense(6, "tanh")])

    results = []
    for parts in (1, 4):
        image = network(keras.Input((4, 4, 3)), keras.layers.Flatten())
        text = network(
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(16, 8),
            keras.layers.GlobalAveragePooling1D(),
        )
        heads = {"image_projector": tiny_clip_projector, "text_projector": tiny_clip_projector}
        keras.utils.set_random_seed(2)
        method = compiled(
            kc.CLIP(image, text, micro_batches=parts, **heads), keras.optimizers.SGD(0.5)
        )
        if results:
            for variable, value in zip(method.weights, results[0][0], strict=True):
                variable.assign(value)
        before = [array(v) for v in method.weights]
        loss = method.fit(pairs(8), batch_size=8, shuffle=False, verbose=0).history["loss"]
        results.append((before, [array(v) for v in method.weights], loss))
    (before, whole, loss), (_, cached, other) = results
    np.testing.assert_allclose(other, loss, rtol=1e-5)
    assert max(np.abs(a - b).max() for a, b in zip(before, whole, strict=True)) > 1e-3
    for mine, theirs in zip(cached, whole, strict=True):
        tolerance = 1e-5 * max(np.abs(theirs).max(), 0.1)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance)


# -- images and texts in ------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="tests")
class Letters:
    """Four token ids a string."""

    def __call__(self, texts):
        return [[ord(letter) % 16 for letter in text[:4].ljust(4)] for text in texts]

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


CAPTIONS = ["a cat", "dogs", "the bird", "fish"] * 4


def test_strings_are_what_their_ids_are():
    pixels = images(16)[0]
    losses = []
    for texts in (CAPTIONS, np.array(CAPTIONS), np.array(Letters()(CAPTIONS), "int32")):
        method = compiled(clip(tokenizer=Letters()), run_eagerly=True)
        fitted = method.fit(
            (pixels, texts),
            validation_data=((pixels, texts),),
            batch_size=8,
            shuffle=False,
            verbose=0,
        ).history
        losses.append([fitted["loss"], fitted["val_loss"]])
        evaluated = method.evaluate((pixels, texts), batch_size=8, verbose=0, return_dict=True)
        assert evaluated["loss"] == pytest.approx(fitted["val_loss"][0], rel=1e-4)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-5)
    strings, ids = (method.embed_texts(texts) for texts in (CAPTIONS, Letters()(CAPTIONS)))
    np.testing.assert_array_equal(strings, ids)


def test_texts_may_be_dicts_of_arrays():
    ids, mask = keras.Input((4,), dtype="int32", name="ids"), keras.Input((4,), name="mask")
    x = keras.layers.Embedding(16, 6)(ids) * keras.ops.expand_dims(mask, 2)
    text_encoder = keras.Model({"ids": ids, "mask": mask}, x)
    method = kc.CLIP(tiny_encoder(), text_encoder, micro_batches=2)
    compiled(method, run_eagerly=True)
    pixels, texts = pairs(16)
    texts = {"ids": texts, "mask": np.ones((16, 4), "float32")}
    assert np.isfinite(method.fit((pixels, texts), batch_size=8, verbose=0).history["loss"]).all()
    assert method.embed_texts(texts, batch_size=7).shape == (16, 512)
    with_index = {"inputs": (pixels, texts), "index": np.arange(16)}
    assert np.isfinite(method.fit(with_index, batch_size=8, verbose=0).history["loss"]).all()


def test_data_sets_of_pairs():
    class Pairs(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return (pairs(8),)

    method = compiled(clip())
    assert np.isfinite(method.fit(Pairs(), verbose=0).history["loss"]).all()


def test_only_the_images_are_augmented():
    seen = []

    @keras.saving.register_keras_serializable(package="tests")
    class Darker(NoiseViews):
        def call(self, pixels):
            seen.append(tuple(pixels.shape))
            return (0.5 * pixels,)

    method = clip(augmentation=Darker())
    pixels, texts = map(ops.convert_to_tensor, pairs(8))
    view, same = method.make_views((pixels, texts))
    assert seen == [(8, 4, 4, 3)]
    np.testing.assert_allclose(array(view), 0.5 * array(pixels))
    np.testing.assert_array_equal(array(same), array(texts))


def test_the_tokenizer_is_saved_if_it_can_be(tmp_path):
    method = clip(tokenizer=Letters())
    method.save(tmp_path / "method.keras")
    loaded = keras.saving.load_model(tmp_path / "method.keras")
    np.testing.assert_allclose(
        loaded.embed_texts(CAPTIONS), method.embed_texts(CAPTIONS), rtol=1e-5, atol=1e-6
    )
    method.tokenizer = Letters().__call__
    with pytest.warns(UserWarning, match="is not saved: set"):
        method.save(tmp_path / "method.keras")
    loaded = keras.saving.load_model(tmp_path / "method.keras")
    with pytest.raises(ValueError, match=r"no tokenizer.*set `method.tokenizer`"):
        loaded.embed_texts(CAPTIONS)
    loaded.tokenizer = Letters()
    assert loaded.embed_texts(CAPTIONS).shape == (16, 4)


def test_the_text_encoder_may_bring_its_tokenizer():
    text_encoder = tiny_text_encoder()
    text_encoder.tokenizer = Letters()
    method = kc.CLIP(tiny_encoder(), text_encoder)
    assert method.embed_texts(CAPTIONS).shape == (16, 512)
    assert method.get_config()["tokenizer"] is None


# -- embeddings out -----------------------------------------------------------------------------


def test_embeddings_are_projections_of_unit_length():
    method = clip()
    pixels, texts = pairs(10)
    z_image = method.embed_images((pixels * 255).astype("uint8"), batch_size=4)
    z_text = method.embed_texts(texts, batch_size=4)
    rounded = (pixels * 255).astype("uint8") / 255
    for found, encoder, head, part in (
        (z_image, method.encoder, method.image_projector, rounded),
        (z_text, method.text_encoder, method.text_projector, texts),
    ):
        z = head.predict(encoder.predict(part, verbose=0), verbose=0)
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
        np.testing.assert_allclose(found, z, rtol=1e-4, atol=1e-5)
    features = method.predict((pixels, texts), verbose=0)
    np.testing.assert_allclose(features, method.predict(pixels, verbose=0), rtol=1e-5)


# -- what is refused ----------------------------------------------------------------------------


def fitted(x, **kwargs):
    return lambda: compiled(clip(tokenizer=Letters())).fit(x, verbose=0, **kwargs)


PIXELS = images(16)[0]
TEXTS = token_ids(np.arange(16) % 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (fitted(PIXELS), r"images and their texts.*shape \(16, 4, 4, 3\) alone"),
        (fitted((PIXELS, TEXTS[:15])), r"text for each image.*\(16, 4, 4, 3\).*\(15, 4\)"),
        (fitted((PIXELS, CAPTIONS[:15])), r"text for each image.*\(15, 4\)"),
        (fitted((PIXELS, TEXTS, TEXTS)), "Received: a tuple of 3"),
        (fitted((PIXELS * 255, TEXTS)), "255"),
        (fitted((PIXELS, "a cat")), "list of strings. Received: one string"),
        (fitted((PIXELS, [*CAPTIONS[:15], None])), "Received: None at position 15"),
        (fitted((PIXELS, TEXTS), batch_size=1), "batch of one"),
        (fitted((PIXELS[:9], TEXTS[:9]), batch_size=4), "batch of one"),
        (lambda: clip().embed_texts(CAPTIONS), "no tokenizer. Received: strings"),
        (lambda: clip(tokenizer=lambda t: [[1]]).embed_texts(CAPTIONS), "row for each of 16"),
        (lambda: clip().embed_images(PIXELS, batch_size=0), "batch_size=0"),
        (lambda: clip().embed_images(TEXTS), "images of shape"),
        (lambda: clip(text_projector=kc.layers.clip_projector), "Received: 4 and 512"),
        (lambda: clip(loss=kc.losses.InfoNCE(kc.layers.LogOdds())), "one temperature for all"),
        (lambda: clip(loss=kc.losses.NegativeCosine()), "temperature=None"),
        (lambda: kc.CLIP(tiny_encoder(), "bert"), "Expected a keras.Model"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
