"""The text tower and its tokenizer."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders import ByteTokenizer, text_transformer
from tests.plain_keras import outputs_in_plain_keras

TEXTS = ["a cat", "zwei Vögel", "three"]


def tiny(**kwargs):
    keras.utils.set_random_seed(0)
    return text_transformer(max_length=20, num_heads=2, dim=8, **kwargs)


def test_bytes_come_back():
    ids = ByteTokenizer(20)(TEXTS)
    assert ids.shape == (3, 20)
    assert ids.dtype == "int32"
    for row, text in zip(ids, TEXTS, strict=True):
        inner = row[1 : row.tolist().index(2)]
        assert bytes((inner - 3).astype("uint8")).decode() == text
    assert ids.max() < ByteTokenizer.vocabulary_size


def test_long_texts_lose_their_end_with_a_warning():
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than max_length=6"):
        ids = ByteTokenizer(6)(["abcdefgh", "abcd"])
    np.testing.assert_array_equal(ids[0], ids[1])


def test_the_tokenizer_is_rebuilt_from_its_config():
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(ByteTokenizer(9))
    )
    np.testing.assert_array_equal(again(["ab"]), ByteTokenizer(9)(["ab"]))


def test_padding_changes_nothing_and_order_does():
    model, ids = tiny(), ByteTokenizer(20)(TEXTS)
    features = model.predict(ids, verbose=0)
    np.testing.assert_allclose(model.predict(ids[:1, :8], verbose=0), features[:1], atol=1e-5)
    turned = ByteTokenizer(20)([text[::-1] for text in TEXTS])
    assert np.abs(model.predict(turned, verbose=0) - features).max() > 1e-3
    assert np.isfinite(model.predict(np.zeros((2, 4), "int32"), verbose=0)).all()


def test_dropout_is_for_training_alone():
    model, ids = tiny(dropout=0.5), ByteTokenizer(20)(TEXTS)
    first, second = (ops.convert_to_numpy(ops.stop_gradient(model(ids))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    first, second = (
        ops.convert_to_numpy(ops.stop_gradient(model(ids, training=True))) for _ in range(2)
    )
    assert np.abs(first - second).max() > 1e-2


def test_the_file_opens_in_plain_keras(tmp_path):
    model, ids = tiny(), ByteTokenizer(20)(TEXTS)
    found = outputs_in_plain_keras(model, ids, tmp_path)
    np.testing.assert_allclose(found, model.predict(ids, verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ByteTokenizer(2), "max_length=2"),
        (lambda: ByteTokenizer()("a cat"), "Received: 'a cat'"),
        (lambda: ByteTokenizer()(["a cat", 3]), "list of strings"),
        (lambda: text_transformer(dim=9), "dim=9"),
        (lambda: text_transformer(num_layers=0), "num_layers=0"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
