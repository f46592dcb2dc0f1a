"""CoSENT as a method: the formula's steps, learning to rank, and what comes in wrong."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive import evaluation
from keras_contrastive.callbacks import STSCorrelation
from tests.methods.parts import assert_same_weights, compiled
from tests.methods.test_simcse import SENTENCES, sentence_encoder, token_ids

RATE = 0.2
FIRST, SECOND = SENTENCES, SENTENCES[5:] + SENTENCES[:5]
# How many words two sentences share, in which order they do not matter.
SCORES = [float(len(set(a.split()) & set(b.split()))) for a, b in zip(FIRST, SECOND, strict=True)]


def cosent(dropout=0.0, **kwargs):
    keras.utils.set_random_seed(0)
    return kc.CoSENT(sentence_encoder(dropout, pooling="mean"), **kwargs)


def fit(method, x=(FIRST, SECOND), y=SCORES, **kwargs):
    kwargs = {"batch_size": 8, "shuffle": False, "verbose": 0, **kwargs}
    return method.fit(x, y, **kwargs).history


def test_two_steps_are_those_of_the_formula():
    torch = pytest.importorskip("torch")
    ids = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(16, 6, keras.initializers.RandomNormal(seed=0))(ids)
    encoder = keras.Model(ids, ops.mean(vectors, axis=1))
    method = compiled(
        kc.CoSENT(encoder, loss=kc.losses.CoSENTLoss(0.3)), keras.optimizers.SGD(RATE)
    )
    variable = encoder.layers[1].embeddings
    start = ops.convert_to_numpy(variable).copy()
    table = torch.tensor(start.astype("float64"), requires_grad=True)
    lists, scores = [token_ids(seed=seed) for seed in (0, 1)], np.arange(16.0) % 5
    for step in range(2):
        rows = slice(8 * step, 8 * step + 8)
        a, b = (table[torch.tensor(part[rows]).long()].mean(1) for part in lists)
        cosines, y = torch.nn.functional.cosine_similarity(a, b), torch.tensor(scores[rows])
        wrong = ((cosines[:, None] - cosines[None, :]) / 0.3)[y[:, None] < y[None, :]]
        value = torch.log(1 + wrong.exp().sum())
        (gradient,) = torch.autograd.grad(value, table)
        with torch.no_grad():
            table -= RATE * gradient
    fit(method, tuple(lists), scores)
    expected = table.detach().numpy()
    assert np.abs(expected - start).max() > 1e-3
    np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-3, atol=1e-5)


def test_cosines_come_to_be_ranked_as_the_scores():
    method = compiled(cosent(), keras.optimizers.Adam(0.01))
    before = evaluation.sts(method.encoder.encode, FIRST, SECOND, SCORES)["all"]
    watch = STSCorrelation(FIRST, SECOND, SCORES, every=15)
    history = fit(method, epochs=16, batch_size=16, callbacks=[watch])
    assert history["sts_correlation"][-1] > max(before + 0.2, 0.8)
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_a_saved_method_resumes_bit_for_bit(tmp_path):
    method = compiled(cosent(0.1), keras.optimizers.Adam(0.01))
    fit(method)
    method.save(tmp_path / "cosent.keras")
    resumed = keras.saving.load_model(tmp_path / "cosent.keras")
    assert resumed.max_length == 64
    fit(method)
    fit(resumed)
    assert_same_weights(resumed, method)


def test_batches_without_duplicates_and_validation():
    method = compiled(cosent())
    ids, scores = method.prepare((FIRST, SECOND)), np.array(SCORES)
    batches = kc.data.NoDuplicateBatches(ids, scores, batch_size=4)
    history = fit(method, batches, None, validation_data=((FIRST, SECOND), scores))
    assert math.isfinite(history["loss"][0])
    assert math.isfinite(history["val_loss"][0])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ((FIRST, SECOND), None, "Expected a score for each pair"),
        ((FIRST, SECOND), [math.nan, *SCORES[1:]], "1 that are not"),
        ((FIRST, SECOND[:3]), SCORES, r"2 lists of \[16, 3\]"),
        ((FIRST, SECOND, FIRST), SCORES, "Expected 2 views for CoSENT"),
        (FIRST, SCORES, "Expected pairs of sentences"),
        (([""] * 16, SECOND), SCORES, "an empty one at position 0"),
    ],
)
def test_what_cannot_be_learned_from(x, y, message):
    with pytest.raises(ValueError, match=message):
        fit(compiled(cosent()), x, y)
