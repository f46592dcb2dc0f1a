"""Layers on token ids: what each does to words, and that it leaves the rest alone."""

import inspect

import keras
import numpy as np
import pytest

from keras_contrastive.augmentation import (
    FeatureCutoff,
    TokenCrop,
    TokenCutoff,
    TokenDeletion,
    TokenMasking,
    TokenSwap,
    TokenViews,
    with_feature_cutoff,
)
from keras_contrastive.encoders import bert

CLS, SEP, MASK = 2, 3, 4
SPECIAL = (CLS, SEP)
LAYERS = {
    "deletion": lambda **k: TokenDeletion(SPECIAL, 0.3, **k),
    "cutoff": lambda **k: TokenCutoff(SPECIAL, 0.3, **k),
    "masking": lambda **k: TokenMasking(MASK, SPECIAL, 0.3, **k),
    "crop": lambda **k: TokenCrop(SPECIAL, (0.3, 0.9), **k),
    "swap": lambda **k: TokenSwap(SPECIAL, 0.3, **k),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def sentences(*lengths, total=14):
    """Rows of different words, 10, 11, ..., between [CLS] and [SEP], then padding."""
    rows = [[CLS, *range(10, 10 + n), SEP] for n in lengths]
    return np.array([row + [0] * (total - len(row)) for row in rows], "int32")


def words(row):
    return [int(token) for token in row if token not in (0, *SPECIAL, MASK)]


@every_layer
def test_what_every_layer_keeps(run, make):
    token_ids = sentences(*[12, 5, 2, 1, 0] * 20)
    views = run(make(seed=1), token_ids)
    assert views.dtype == "int32"
    assert views.shape == token_ids.shape
    assert (views != token_ids).any()
    for row, given in zip(views, token_ids):
        assert [token for token in row if token in SPECIAL] == [CLS, SEP]
        assert set(words(row)) <= set(words(given))
        assert bool(words(row)) == bool(words(given))  # a word is left, if there was one
        last = int(np.flatnonzero(row == SEP)[0])
        assert row[0] == CLS
        assert (row[last + 1 :] == 0).all()


@every_layer
def test_seed_config_and_new_draws(run, make):
    token_ids = sentences(*[12] * 6)
    layer = make(seed=3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    for cls in type(layer).__mro__:
        if cls.__module__.startswith("keras_contrastive"):
            names = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}
            assert names <= set(layer.get_config())
    first = run(layer, token_ids)
    np.testing.assert_array_equal(first, run(again, token_ids))
    assert (run(layer, token_ids) != first).any()
    assert len({tuple(row) for row in first}) > 1  # equal sentences, different draws


@every_layer
def test_tensorflow_graph_with_dynamic_batch_and_xla(make):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's compilation")
    import tensorflow as tf

    token_ids = sentences(12, 5, 1, 0)
    signature = [tf.TensorSpec((None, None), tf.int32)]
    graph = tf.function(make(seed=1), input_signature=signature)(token_ids)
    np.testing.assert_array_equal(graph, make(seed=1)(token_ids))
    xla = tf.function(make(seed=1), jit_compile=True)(tf.constant(token_ids))
    assert xla.shape == token_ids.shape
    assert xla.dtype == tf.int32


def test_deletion_and_cutoff_take_their_share_of_words_in_order(run):
    token_ids = sentences(*[12] * 500)
    deleted = run(TokenDeletion(SPECIAL, 0.25, seed=0), token_ids)
    assert abs(np.mean([len(words(row)) for row in deleted]) - 9) < 0.25
    assert all(words(row) == sorted(words(row)) for row in deleted)
    assert all((row[: len(words(row)) + 2] != 0).all() for row in deleted)  # no gap
    cut = run(TokenCutoff(SPECIAL, 0.25, seed=0), token_ids)
    assert set(np.unique(cut[cut != token_ids])) == {0}
    assert abs(np.mean(cut == 0) - 0.25 * 12 / 14) < 0.02


def test_all_words_but_one_go_at_rate_one(run):
    token_ids = sentences(*[3] * 300)
    spared = run(TokenDeletion(SPECIAL, 1.0, seed=0), token_ids)
    assert (spared[:, [0, 2]] == SPECIAL).all()
    assert np.bincount(spared[:, 1], minlength=13)[10:].min() > 60  # each word is spared alike
    masked = run(TokenMasking(MASK, SPECIAL, 1.0, seed=0), token_ids)
    assert ((masked == MASK).sum(axis=1) == 2).all()


def test_rate_zero_and_the_whole_change_nothing(run):
    token_ids = sentences(12, 5, 1, 0)
    for layer in (
        TokenDeletion(SPECIAL, 0.0),
        TokenCutoff(SPECIAL, 0.0),
        TokenMasking(MASK, SPECIAL, 0.0),
        TokenSwap(SPECIAL, 0.0),
        TokenCrop(SPECIAL, (1.0, 1.0)),
    ):
        np.testing.assert_array_equal(run(layer, token_ids), token_ids)


def test_a_crop_is_every_span_of_its_length(run):
    spans = run(TokenCrop(SPECIAL, (0.5, 0.5), seed=0), sentences(*[8] * 400))
    first = spans[:, 1]
    expected = np.concatenate([np.arange(4) + first[:, None], np.full((400, 1), SEP)], axis=1)
    np.testing.assert_array_equal(spans[:, 1:6], expected)
    counts = np.bincount(first - 10, minlength=5)
    assert len(counts) == 5
    assert counts.min() > 50
    sizes = run(TokenCrop(SPECIAL, (0.25, 1.0), seed=0), sentences(*[8] * 400))
    assert {len(words(row)) for row in sizes} == set(range(2, 9))


def test_swaps_are_disjoint_pairs(run):
    token_ids = sentences(*[12] * 400)
    swapped = run(TokenSwap(SPECIAL, 1.0, seed=0), token_ids)[:, 1:13] - 10
    back = np.take_along_axis(swapped, swapped, axis=1)
    np.testing.assert_array_equal(back, np.tile(np.arange(12), (400, 1)))  # its own inverse
    assert (swapped != np.arange(12)).all()
    assert np.bincount(swapped[:, 0], minlength=12)[1:].min() > 10  # with any other
    few = run(TokenSwap(SPECIAL, 0.125, seed=0), token_ids)
    pairs = (few != token_ids).sum(axis=1) / 2
    assert set(pairs) == {1, 2}
    assert abs(pairs.mean() - 1.5) < 0.1


def test_other_padding_and_no_special_tokens(run):
    token_ids = np.array([[7, 8, 9, 1, 1]], "int32")
    deleted = run(TokenDeletion((), 1.0, padding_id=1), token_ids)
    assert deleted[0, 0] in (7, 8, 9)
    assert deleted[0, 1:].tolist() == [1] * 4
    assert run(TokenCutoff((), 1.0, padding_id=1), token_ids).tolist()[0].count(1) == 4


def test_views(run):
    token_ids = sentences(12, 5, 1, 0)
    deletion = TokenDeletion(SPECIAL, 0.5, seed=1)
    views = TokenViews([[], deletion, [deletion, TokenSwap(SPECIAL, 0.5, seed=2)]], seed=0)
    loaded = TokenViews.from_config(views.get_config())
    assert views.compute_output_shape((None, 9)) == ((None, 9),) * 3
    first, second, third = run(views, token_ids)
    np.testing.assert_array_equal(first, token_ids)
    assert len({len(words(view[0])) for view in (first, second, third)}) > 1
    assert words(third[0]) != sorted(words(third[0]))
    for one, other in zip((first, second, third), run(loaded, token_ids)):
        np.testing.assert_array_equal(one, other)


def test_tf_data_map():
    tf = pytest.importorskip("tensorflow")
    token_ids = sentences(12, 5, 1, 0)
    make = lambda: TokenViews([[], TokenDeletion(SPECIAL, 0.5, seed=1)], seed=0)  # noqa: E731
    dataset = tf.data.Dataset.from_tensor_slices(token_ids).batch(2).map(make())
    assert [spec.shape.as_list() for spec in dataset.element_spec] == [[None, 14]] * 2
    assert {spec.dtype for spec in dataset.element_spec} == {tf.int32}
    for view, expected in zip(next(iter(dataset)), make()(token_ids[:2])):
        np.testing.assert_array_equal(view, np.asarray(expected))


# -- features -------------------------------------------------------------------------------------


def test_feature_cutoff_erases_the_same_features_of_all_tokens():
    embeddings = np.random.default_rng(0).normal(size=(40, 6, 10)).astype("float32")
    layer = FeatureCutoff(0.25, seed=0)
    erased = np.asarray(layer(embeddings, training=True))
    is_erased = (erased == 0).all(axis=1)
    assert (is_erased.sum(axis=1) == 2).all()  # the whole part of 0.25 * 10
    assert len({tuple(row) for row in is_erased}) > 10
    kept = np.broadcast_to(~is_erased[:, None], embeddings.shape)
    np.testing.assert_array_equal(erased[kept], embeddings[kept])
    np.testing.assert_array_equal(np.asarray(layer(embeddings)), embeddings)
    assert FeatureCutoff.from_config(layer.get_config()).rate == 0.25


def test_a_backbone_with_feature_cutoff_shares_its_weights(tmp_path):
    backbone = bert(30, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16, dropout=0.0)
    model = with_feature_cutoff(backbone, rate=0.5, seed=0)
    token_ids = sentences(12, 5)
    at_test = [np.asarray(m.predict(token_ids, verbose=0)[-1]) for m in (backbone, model)]
    np.testing.assert_allclose(*at_test, atol=1e-6)
    assert {id(v) for v in model.trainable_variables} == {
        id(v) for v in backbone.trainable_variables
    }
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = np.asarray(loaded.predict(token_ids, verbose=0)[-1])
    np.testing.assert_allclose(again, at_test[0], atol=1e-6)
    (cutoff,) = [layer for layer in loaded.layers if isinstance(layer, FeatureCutoff)]
    assert cutoff.rate == 0.5


# -- what comes in wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TokenDeletion(SPECIAL, 1.1), r"rate.*\[0, 1\].*1.1"),
        (lambda: TokenMasking(MASK, SPECIAL, -0.1), "rate"),
        (lambda: TokenCutoff(SPECIAL, 2), "rate"),
        (lambda: TokenSwap(SPECIAL, 2), "rate"),
        (lambda: TokenCrop(SPECIAL, (0.9, 0.1)), "scale as"),
        (lambda: FeatureCutoff(-1), "rate"),
        (lambda: TokenViews([]), "one a view"),
        (lambda: TokenViews([[np.flip]]), "Keras layers"),
        (lambda: TokenDeletion(SPECIAL)(np.zeros((2, 4), "float32")), "dtype float32"),
        (lambda: TokenSwap(SPECIAL)(np.zeros(4, "int32")), r"shape \(4,\)"),
        (lambda: TokenViews([[]])(np.zeros((2, 4, 1), "int32")), r"shape \(2, 4, 1\)"),
        (lambda: with_feature_cutoff(bert(9, 1, 1, 4, 4), after="norm"), "'embedding_norm'"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
