"""Classifiers made of class names."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.evaluation import retrieval
from tests.methods.parts import clip, compiled, images, siglip, tiny_clip_projector, tiny_encoder
from tests.plain_keras import outputs_in_plain_keras

CLASSES = ["red", "green", "blue", "grey"]
TEMPLATES = ["a {} one", "{}!", "the {}"]


def reading(**kwargs):
    """CLIP that reads bytes."""
    return kc.CLIP(
        tiny_encoder(),
        kc.encoders.text_transformer(max_length=24, num_layers=1, num_heads=2, dim=16),
        image_projector=tiny_clip_projector,
        text_projector=tiny_clip_projector,
        tokenizer=kc.encoders.ByteTokenizer(24),
        **kwargs,
    )


@pytest.mark.parametrize("bias", [0.0, -10.0])
def test_logits_are_scaled_cosines_with_the_mean_of_the_templates(bias):
    parts = kc.layers.LearnedTemperature(0.1), kc.layers.LearnedBias(bias)
    method = reading(**({"loss": kc.losses.SigLIP(*parts)} if bias else {}))
    expected = []
    for name in CLASSES:
        z = method.embed_texts([template.format(name) for template in TEMPLATES])
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, rtol=1e-5)
        mean = z.mean(axis=0)
        expected.append(mean / np.linalg.norm(mean))
    pixels = images(8)[0]
    cosines = method.embed_images(pixels) @ np.transpose(expected)
    scale = 1 / 0.1 if bias else 1 / 0.07
    logits = method.zero_shot_classifier(CLASSES, TEMPLATES).predict(pixels, verbose=0)
    np.testing.assert_allclose(logits, scale * cosines + bias, rtol=1e-4, atol=1e-4)


def test_it_tells_kinds_that_it_knows_from_captions_alone():
    pixels, labels = images(64)
    captions = [TEMPLATES[i % 2].format(CLASSES[kind]) for i, kind in enumerate(labels)]
    method = compiled(reading(), keras.optimizers.Adam(0.01))
    method.fit((pixels, captions), batch_size=16, epochs=15, verbose=0)
    classifier = method.zero_shot_classifier(CLASSES, TEMPLATES)
    found = classifier.predict(pixels, verbose=0).argmax(axis=1)
    assert np.mean(found == labels) > 0.6  # by chance 0.25
    # One image of each kind finds its captions: several of them.
    texts = [template.format(name) for name in CLASSES for template in TEMPLATES]
    z = method.embed_images(pixels[:4]), method.embed_texts(texts)
    found = retrieval(*z, image_of_text=np.repeat(np.arange(4), 3), ks=[1])
    assert found["text_to_image_r1"] >= 0.5  # by chance 0.25


def test_the_classifier_stays_when_training_goes_on():
    method = compiled(reading(), run_eagerly=True)
    classifier = method.zero_shot_classifier(CLASSES)
    pixels = images(8)[0]
    before = classifier.predict(pixels, verbose=0)
    method.fit((pixels, CLASSES * 2), batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(classifier.predict(pixels, verbose=0), before)
    again = method.zero_shot_classifier(CLASSES).predict(pixels, verbose=0)
    assert np.abs(again - before).max() > 1e-3


def test_the_file_opens_in_plain_keras(tmp_path):
    classifier, pixels = reading().zero_shot_classifier(CLASSES), images(8)[0]
    found = outputs_in_plain_keras(classifier, pixels, tmp_path)
    expected = classifier.predict(pixels, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_bias_reaches_the_loss_and_its_gradient():
    part = kc.layers.LearnedBias(-3.0)
    assert float(ops.stop_gradient(part(np.ones(1)))[0]) == -2.0
    z = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    learned, plain = (kc.losses.SigLIP(0.2, bias).call(*z) for bias in (part, -3.0))
    learned, plain = (ops.convert_to_numpy(ops.stop_gradient(v)) for v in (learned, plain))
    np.testing.assert_allclose(learned, plain, rtol=1e-5)
    assert len(siglip().trainable_variables) == len(clip().trainable_variables) + 1
    again = keras.losses.deserialize(keras.losses.serialize(kc.losses.SigLIP(0.2, part)))
    assert again.bias.initial == -3.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: reading().zero_shot_classifier([]), "`classes` as a list of strings"),
        (lambda: reading().zero_shot_classifier("cat"), "Received: 'cat'"),
        (lambda: reading().zero_shot_classifier(["cat", 3]), "`classes` as a list"),
        (lambda: reading().zero_shot_classifier(["cat", "cat"]), r"\['cat'\] more than once"),
        (lambda: reading().zero_shot_classifier(["cat"], "a {}"), "`templates` as a list"),
        (lambda: reading().zero_shot_classifier(["cat"], ["a photo"]), "'a photo'"),
        (lambda: clip().zero_shot_classifier(["cat"]), "no tokenizer"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
