"""SimCSE: the formulas, two dropout masks a sentence, its state, and what comes in wrong."""

import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.encoders import SentenceEncoder, SubwordTokenizer, bert
from tests.encoders.tiny_bert import VOCABULARY
from tests.methods.parts import assert_same_weights, compiled

RATE, DIM = 0.5, 6
TOKENIZER = SubwordTokenizer.wordpiece(VOCABULARY, 16)


def on_torch(value):
    """A case that is slow on the backends that compile."""
    slow = [] if keras.backend.backend() == "torch" else pytest.mark.slow
    return pytest.param(value, marks=slow)


SENTENCES = [
    f"the {who} {does} {where}"
    for who, does, where in itertools.product(
        ("cat", "dog", "man", "woman"), ("sits", "sleeps"), ("outside", "inside")
    )
]
TRIPLETS = (
    SENTENCES,
    [sentence.replace("the", "a") for sentence in SENTENCES],
    [sentence.replace("sits", "not sits").replace("sleeps", "plays") for sentence in SENTENCES],
)


def sentence_encoder(dropout=0.1, **kwargs):
    backbone = bert(len(VOCABULARY), 1, 2, 8, 16, 16, dropout=dropout, attention_dropout=dropout)
    kwargs = {"pooling": "cls_before_head", **kwargs}
    return SentenceEncoder(backbone, SubwordTokenizer.wordpiece(VOCABULARY, 16), **kwargs)


def simcse(dropout=0.1, **kwargs):
    keras.utils.set_random_seed(0)
    return kc.SimCSE(sentence_encoder(dropout), **kwargs)


def fit(method, x=SENTENCES, **kwargs):
    kwargs = {"batch_size": 8, "shuffle": False, "verbose": 0, **kwargs}
    return method.fit(x, **kwargs).history


@keras.saving.register_keras_serializable(package="tests")
class GivenMasks(keras.layers.Dropout):
    """Dropout whose masks are known: a row of a batch always has the same."""

    def call(self, inputs, training=False):
        rng = np.random.default_rng(0)
        masks = (rng.uniform(size=(32, DIM)) > self.rate) / (1 - self.rate)
        masks = ops.convert_to_tensor(masks.astype("float32"))
        return inputs * masks[: ops.shape(inputs)[0]] if training else inputs


def tiny_encoder():
    """The mean of the tokens' vectors, some of whose components are dropped."""
    keras.utils.set_random_seed(0)
    token_ids = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(16, DIM, keras.initializers.RandomNormal(stddev=1.0))(
        token_ids
    )
    return keras.Model(token_ids, GivenMasks(0.4, seed=0)(ops.mean(vectors, axis=1)))


def token_ids(num=16, seed=0):
    return np.random.default_rng(seed).integers(1, 16, (num, 4)).astype("int32")


# -- the formulas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("num_lists", [1, 2, 3])
def test_two_steps_are_those_of_the_formulas(num_lists):
    torch = pytest.importorskip("torch")
    loss = kc.losses.SimCSELoss(0.3, hard_negative_log_weight=1.0)
    method = compiled(kc.SimCSE(tiny_encoder(), loss=loss), keras.optimizers.SGD(RATE))
    lists = [token_ids(seed=seed) for seed in range(num_lists)]
    masks = method.encoder.layers[-1](np.ones((24, DIM), "float32"), training=True)
    masks = torch.tensor(ops.convert_to_numpy(masks).astype("float64"))
    variables = [method.encoder.layers[1].embeddings, *method.projector.trainable_variables]
    table, kernel, bias = weights = [
        torch.tensor(ops.convert_to_numpy(v).astype("float64"), requires_grad=True)
        for v in variables
    ]
    for step in range(2):
        batch = [torch.tensor(ids[8 * step : 8 * step + 8]).long() for ids in lists]
        batch = batch * 2 if num_lists == 1 else batch
        features = table[torch.cat(batch)].mean(dim=1) * masks[: 8 * len(batch)]
        z = torch.nn.functional.normalize(torch.tanh(features @ kernel + bias)).split(8)
        logits = torch.cat([z[0] @ other.T for other in z[1:]], dim=1) / 0.3
        if num_lists == 3:
            logits = logits + torch.cat([torch.zeros(8, 8), torch.eye(8)], dim=1)
        value = torch.nn.functional.cross_entropy(logits, torch.arange(8))
        with torch.no_grad():
            for weight, gradient in zip(weights, torch.autograd.grad(value, weights), strict=True):
                weight -= RATE * gradient
    start = [ops.convert_to_numpy(variable).copy() for variable in variables]
    method.fit(tuple(lists) if num_lists > 1 else lists[0], batch_size=8, shuffle=False, verbose=0)
    for variable, old, weight in zip(variables, start, weights, strict=True):
        expected = weight.detach().numpy()
        assert np.abs(expected - old).max() > 1e-3
        np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-3, atol=1e-5)


@keras.saving.register_keras_serializable(package="tests")
class Distance(keras.losses.Loss):
    """How far the two views of each sentence lie apart."""

    def call(self, keys, queries):
        return ops.max(ops.abs(keys - queries), axis=1)


def test_the_two_passes_of_a_sentence_never_have_the_same_masks():
    """In compiled steps, in every batch and epoch; the weights stand still."""
    method = compiled(simcse(0.5, loss=Distance()), keras.optimizers.SGD(0.0))

    class Batches(keras.callbacks.Callback):
        seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(logs["loss"])

    fit(method, SENTENCES[:2] * 8, epochs=3, batch_size=2, callbacks=[Batches()])
    assert len(Batches.seen) == 24
    assert min(Batches.seen) > 1e-4
    assert len({round(float(loss), 7) for loss in Batches.seen}) == 24
    still = method.evaluate(SENTENCES, batch_size=8, verbose=0, return_dict=True)
    assert still["loss"] < 1e-6  # no dropout, no distance


def test_the_paper_s_settings():
    method = kc.SimCSE(sentence_encoder())
    assert method.contrastive_loss.temperature == 0.05
    assert method.contrastive_loss.hard_negative_log_weight == 0
    (dense,) = method.projector.layers
    assert (dense.units, dense.activation) == (8, keras.activations.tanh)
    assert method.max_length == 32


@pytest.mark.parametrize("x", [SENTENCES, on_torch(TRIPLETS[:2]), on_torch(TRIPLETS)])
def test_the_loss_falls(x):
    keras.utils.set_random_seed(0)
    tokenizer = SubwordTokenizer.wordpiece(VOCABULARY, 16)
    encoder = SentenceEncoder(bert(len(VOCABULARY), 1, 2, 16, 16, 16), tokenizer)
    history = fit(compiled(kc.SimCSE(encoder), keras.optimizers.Adam(0.005)), x, epochs=20)
    assert all(map(math.isfinite, history["loss"]))
    assert np.mean(history["loss"][-3:]) < 0.5 * history["loss"][0]
    assert np.mean(history["contrastive_accuracy"][-3:]) > 0.6
    assert {"representation_std", "effective_rank", "projection_std"} <= set(history)


def test_the_head_is_dropped_or_kept_at_test():
    method = compiled(simcse(), keras.optimizers.Adam(0.01))
    fit(method, TRIPLETS)
    dropped = method.encoder.encode(SENTENCES, verbose=0)
    np.testing.assert_allclose(
        method.predict(method.prepare(SENTENCES), verbose=0), dropped, rtol=1e-4, atol=1e-5
    )
    kept = method.encoder.with_head(method.projector).encode(SENTENCES, verbose=0)
    expected = ops.convert_to_numpy(method.projector(dropped))
    np.testing.assert_allclose(kept, expected, rtol=1e-4, atol=1e-5)


# -- positives by augmentation ---------------------------------------------------------------------


def losses_on(x, **kwargs):
    keras.utils.set_random_seed(0)
    encoder = SentenceEncoder(bert(len(VOCABULARY), 1, 2, 16, 16, 16), TOKENIZER)
    method = compiled(kc.SimCSE(encoder), keras.optimizers.Adam(0.005))
    return method.fit(x, epochs=12, verbose=0, **kwargs).history["loss"]


def test_copies_by_eda_are_positives():
    """One of nine in each epoch."""
    eda = kc.augmentation.EDA({"man": ["woman"], "sleeps": ["sits"]}, seed=0)
    losses = losses_on(kc.data.sentence_pairs(SENTENCES, eda(SENTENCES), TOKENIZER, batch_size=8))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("batch_size", [on_torch(8)])
def test_back_translations_are_positives(batch_size):
    back = kc.augmentation.BackTranslation(
        lambda texts: [text.replace("the", "le") for text in texts],
        lambda texts: [text.replace("le", "a") for text in texts],
    )
    losses = losses_on((SENTENCES, back(SENTENCES)), batch_size=batch_size)
    assert losses[-1] < 0.8 * losses[0]


def test_token_views_are_saved_with_the_method(tmp_path):
    method = simcse(0.0)  # no dropout: the views alone differ
    special = method.encoder.tokenizer.special_ids
    assert special == (2, 3)
    views = kc.augmentation.TokenViews([[], kc.augmentation.TokenDeletion(special, 0.3)])
    method = compiled(simcse(0.0, augmentation=views), keras.optimizers.Adam(0.01))
    fit(method)
    method.save(tmp_path / "simcse.keras")
    resumed = keras.saving.load_model(tmp_path / "simcse.keras")
    fit(method)
    fit(resumed)
    assert_same_weights(resumed, method)  # the draws go on too


# -- state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("micro_batches", [1, on_torch(2)])
def test_a_saved_method_resumes_bit_for_bit(tmp_path, micro_batches):
    """With the next masks of the dropout, and the tokenizer."""
    method = compiled(simcse(micro_batches=micro_batches), keras.optimizers.Adam(0.01))
    fit(method)
    method.save(tmp_path / "simcse.keras")
    resumed = keras.saving.load_model(tmp_path / "simcse.keras")
    assert_same_weights(resumed, method)
    fit(method)
    fit(resumed)
    assert_same_weights(resumed, method)
    again = kc.from_preset(tmp_path / "simcse.keras")  # the encoder of a method's file
    assert isinstance(again, SentenceEncoder)


def test_micro_batches_have_the_whole_batch_s_loss():
    lists = TRIPLETS  # no dropout: nothing else differs
    whole, parts = compiled(simcse(0.0)), compiled(simcse(0.0, micro_batches=4))
    for method in (whole, parts):
        fit(method, lists)
    for a, b in zip(whole.trainable_variables, parts.trainable_variables, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-3, atol=1e-5
        )


def test_config_names_every_part():
    method = simcse(max_length=12)
    again = kc.SimCSE.from_config(method.get_config())
    assert again.max_length == 12
    assert again.encoder.tokenizer.get_config() == method.encoder.tokenizer.get_config()


# -- what comes in ---------------------------------------------------------------------------------


def test_lists_of_sentences_have_one_length():
    method = kc.SimCSE(sentence_encoder())
    ids = method.prepare((["cat", "dog"], ["the cat sits outside", "a dog"]))
    assert [part.shape for part in ids] == [(2, 6), (2, 6)]
    assert method.prepare(np.array(["cat", "a dog"])).shape == (2, 4)
    data = method.prepare({"inputs": ["cat", "a dog"], "index": np.arange(2)})
    assert data["inputs"].shape == (2, 4)


def test_validation_data_are_sentences_too():
    history = fit(compiled(simcse()), TRIPLETS, validation_data=(TRIPLETS,))
    assert math.isfinite(history["val_loss"][0])


def test_long_sentences_are_cut_with_a_warning():
    method = kc.SimCSE(sentence_encoder(), max_length=8)
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than max_length=8"):
        ids = method.prepare(["cat " * 10_000, "dog"])
    assert ids.shape == (2, 8)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (["a cat", "", "a dog"], "an empty one at position 1"),
        (["a cat", "  ", "a dog"], "an empty one at position 1"),
        (["a cat", None], "Received: None at position 1"),
        ("a cat", "one string"),
        ((["a cat", "a dog"], ["cat"]), r"2 lists of \[2, 1\] sentences"),
        ((["a"], ["a"], ["a"], ["a"]), r"4 lists of \[1, 1, 1, 1\]"),
        ((["a cat", "a dog"], ["cat", None]), "Received: None at position 1"),
        (np.zeros((4, 8)), "Received: dtype float64"),
        (np.zeros((4, 8, 1), "int32"), r"shape \(4, 8, 1\)"),
        (["a cat"], "batch of one"),
    ],
)
def test_what_cannot_be_learned_from(x, message):
    with pytest.raises(ValueError, match=message):
        compiled(simcse()).fit(x, verbose=0)


def test_an_encoder_without_dropout_learns_from_pairs_only():
    with pytest.raises(ValueError, match="Expected an encoder with dropout"):
        fit(compiled(simcse(0.0)))
    assert math.isfinite(fit(compiled(simcse(0.0)), TRIPLETS)["loss"][0])


def test_strings_need_a_tokenizer():
    method = compiled(kc.SimCSE(tiny_encoder()))
    with pytest.raises(ValueError, match="no tokenizer"):
        fit(method)
    assert math.isfinite(fit(method, token_ids())["loss"][0])
