"""The alarm tells collapsed runs from healthy ones, and the kinds of collapse apart."""

import math
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_contrastive as kc
from keras_contrastive.callbacks import CollapseAlarm, CollapseWarning
from keras_contrastive.ops import l2_normalize
from tests.methods import parts


def images(size=256, dim=16):
    return np.random.default_rng(0).random((size, dim), "float32")


class Pair(keras.Model):
    """Two noisy views through a network, pulled together; with negatives if healthy."""

    def __init__(self, healthy, dim=16, width=32):
        super().__init__()
        self.encoder = keras.Sequential(
            [
                keras.Input((dim,)),
                layers.Dense(64, "relu", kernel_initializer=keras.initializers.HeNormal(0)),
                layers.Dense(width, kernel_initializer=keras.initializers.GlorotNormal(1)),
            ]
        )
        self.noise = layers.GaussianNoise(0.02, seed=0)
        self.healthy = healthy

    def call(self, x):
        a, b = (l2_normalize(self.encoder(self.noise(x, training=True))) for _ in range(2))
        similarities = ops.matmul(a, ops.transpose(b)) / 0.2
        loss = -ops.mean(ops.diagonal(similarities))
        if self.healthy:
            loss = loss + ops.mean(ops.logsumexp(similarities, axis=1))
        # Without negatives, a shared bias makes all features equal; push it there quickly.
        else:
            loss = loss - 0.2 * ops.mean(ops.sum(a, axis=1))
        self.add_loss(loss)
        return a


def run(model, alarm, epochs=6):
    model.compile(keras.optimizers.Adam(0.01))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        history = model.fit(images(), batch_size=64, epochs=epochs, verbose=0, callbacks=[alarm])
    messages = [str(w.message) for w in caught if issubclass(w.category, CollapseWarning)]
    return messages, len(history.epoch)


def test_silent_on_a_healthy_run_from_images():
    assert run(Pair(healthy=True), CollapseAlarm(images())) == ([], 6)


def test_silent_on_few_dimensions():
    assert run(Pair(healthy=True, width=2), CollapseAlarm(images())) == ([], 6)


def test_tells_a_complete_collapse_once():
    messages, epochs = run(Pair(healthy=False), CollapseAlarm(images()), epochs=12)
    assert epochs == 12
    assert len(messages) == 1
    assert messages[0].startswith("Complete collapse")
    for cure in ("learning rate", "stop-gradient", "predictor", "BatchNorm", "momentum"):
        assert cure in messages[0]


def test_stops_a_collapsed_run():
    messages, epochs = run(Pair(healthy=False), CollapseAlarm(images(), action="stop"), epochs=12)
    assert len(messages) == 1
    assert epochs < 12


def test_tells_a_dimensional_collapse():
    """Centred features along one direction: they fill it, so only the rank shows the collapse."""
    line = keras.Sequential([keras.Input((16,)), layers.Dense(1), layers.Dense(64)])
    line.layers[0].set_weights([np.eye(16, 1), np.array([-0.5])])
    line.compile(keras.optimizers.SGD(0.0), "mse")
    alarm = CollapseAlarm(images(), patience=2)
    with pytest.warns(CollapseWarning, match="Dimensional collapse.*rank 1 of 64.*temperature"):
        line.fit(images(), np.zeros((256, 64)), epochs=2, verbose=0, callbacks=[alarm])


def after(alarm, *epochs, dimension=128):
    """Messages of the alarm over epochs of given logs."""
    alarm.set_model(keras.Sequential([keras.Input((2,)), layers.Dense(dimension)]))
    alarm.model.compile("sgd", "mse")
    alarm.model.stop_training = False
    alarm.on_train_begin()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch, logs in enumerate(epochs):
            alarm.on_epoch_end(epoch, {"loss": 1.0} | logs)
    # Not those of PyTorch and NumPy about one another.
    return [str(w.message) for w in caught if issubclass(w.category, UserWarning)]


def logs(std=0.8, rank=10.0):
    return {"representation_std": std, "effective_rank": rank}


def test_collapsed_logs():
    (message,) = after(CollapseAlarm(), *[logs(std=0.01)] * 5)
    assert message.startswith("Complete collapse")
    assert "0.01, below 0.1" in message
    (message,) = after(CollapseAlarm(), *[logs(rank=1.3)] * 5)
    assert message.startswith("Dimensional collapse")
    assert "1.3 of 128 dimensions, below 1.5" in message


def test_an_untrained_network_that_starts_to_learn_is_no_collapse():
    """Spread and rank of fresh ResNets on small images, rising from epoch to epoch."""
    rising = [logs(0.07, 1.1), logs(0.08, 1.3), logs(0.09, 1.45), logs(0.3, 1.8), logs(0.6, 3.0)]
    assert after(CollapseAlarm(), *rising) == []


def test_a_slow_run_of_low_rank_is_no_collapse():
    """As BYOL starts on small digits: inference mode, a rank that stays below 2 for many epochs."""
    assert (
        after(CollapseAlarm(), *[logs(0.45, rank) for rank in (1.54, 1.7, 1.78, 1.75, 1.7)]) == []
    )


def test_two_low_epochs_are_no_collapse():
    assert after(CollapseAlarm(), logs(0.05), logs(0.05), logs(0.7), logs(0.05), logs(0.05)) == []


@pytest.mark.parametrize(("dimension", "alarms"), [(2, False), (8, False), (64, True)])
def test_a_low_rank_of_few_dimensions_is_no_collapse(dimension, alarms):
    messages = after(CollapseAlarm(), *[logs(rank=1.2)] * 4, dimension=dimension)
    assert bool(messages) == alarms


def test_limits_are_settable():
    assert after(CollapseAlarm(min_std=0.5, patience=1), logs(0.4))
    assert after(CollapseAlarm(min_rank=1.0), *[logs(rank=1.2)] * 4) == []


def within(alarm, *epochs, dimension=128):
    """Messages and the batch of the first one, over epochs of (std, rank) of each batch."""
    alarm.set_model(keras.Sequential([keras.Input((2,)), layers.Dense(dimension)]))
    alarm.model.stop_training = False
    alarm.on_train_begin()
    first, seen = None, 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch, figures in enumerate(epochs):
            # Keras logs means over the epoch so far.
            means = np.cumsum(figures, axis=0) / np.arange(1, len(figures) + 1)[:, None]
            for batch, (std, rank) in enumerate(means):
                alarm.on_train_batch_end(batch, {"projection_std": std, "projection_rank": rank})
                seen += 1
                first = seen if caught and first is None else first
            alarm.on_epoch_end(epoch, {"loss": 1.0} | logs())
    return [str(w.message) for w in caught], first


def test_collapsed_projections_within_an_epoch_of_healthy_features():
    alarm = CollapseAlarm(window=10)
    (message,), batch = within(alarm, [(0.9, 8.0)] * 20 + [(0.9, 1.4)] * 60)
    assert message.startswith("Dimensional collapse: the projections vary along almost a single")
    assert "effective rank 1.4 of 128 dimensions, below 1.5)" in message
    assert batch == 50
    (message,), batch = within(alarm, [(0.9, 8.0)] * 20 + [(0.05, 1.4)] * 60)
    assert message.startswith("Complete collapse: the projections are nearly the same")
    assert "projection_std 0.05, below 0.3" in message
    assert batch == 50


def test_stops_a_method_within_the_first_epoch():
    """On every backend, with the batch's logs read while the next batches run."""
    method = parts.compiled(parts.byol())
    alarm = CollapseAlarm(min_std=0.999, window=2, patience=2, action="stop")
    with pytest.warns(CollapseWarning, match="Complete collapse: the projections"):
        history = method.fit(
            parts.images(512)[0], batch_size=4, epochs=2, verbose=0, callbacks=[alarm]
        )
    assert len(history.epoch) == 1
    assert int(method.steps) < 128


def test_windows_go_on_from_epoch_to_epoch():
    epochs = [[(0.9, 1.4)] * 7] * 5
    assert within(CollapseAlarm(window=10), *epochs)[1] == 30
    mixed = [[(0.9, 1.4)] * 7, [(0.9, 1.4)] * 3 + [(0.9, 5.0)] * 4, [(0.9, 5.0)] * 6]
    alarm = CollapseAlarm(window=10, patience=1)
    assert within(alarm, *mixed)[1] == 10
    assert within(CollapseAlarm(window=10, patience=2), *mixed) == ([], None)


def windows(*figures):
    """The figures, each for ten batches."""
    return [each for each in figures for _ in range(10)]


def test_projections_of_which_half_the_spread_is_lost():
    """The first windows of BYOL without a predictor, which goes on to fall, and of SupCon."""
    falling = windows((0.28, 2.8), (0.20, 2.0), (0.16, 1.7), (0.14, 1.5), (0.12, 1.4))
    rising = windows((0.57, 7.7), (0.27, 1.7), (0.275, 1.7), (0.289, 1.8), (0.298, 1.8))
    start = windows((0.97, 11.5))
    (message,), batch = within(CollapseAlarm(window=10), start + falling)
    assert message.startswith("Complete collapse: the projections")
    assert batch == 40
    assert within(CollapseAlarm(window=10), start + rising) == ([], None)


def test_projections_that_spread_are_no_collapse():
    rising = [(0.04 * 1.2**window, 1.2) for window in range(5) for _ in range(10)]
    spread = [(std, 3.0) for std, _ in rising]
    assert within(CollapseAlarm(window=10), spread) == ([], None)


def test_a_low_std_is_no_collapse_where_it_was_low_from_the_start():
    """As of untrained heads without normalisation, while the learning rate warms up."""
    low = [(0.2, 5.0)] * 60
    assert within(CollapseAlarm(window=10), low) == ([], None)
    (message,), batch = within(CollapseAlarm(window=10), [(0.8, 5.0)] * 10 + low)
    assert "projection_std 0.2, below 0.3" in message
    assert batch == 40


def test_each_kind_is_told_once_of_projections_and_features():
    low = [(0.9, 1.4)] * 40
    alarm = CollapseAlarm(window=10)
    messages, _ = within(alarm, low, low)
    assert len(messages) == 1
    assert len(within(alarm, low, [(0.01, 1.0)] * 40)[0]) == 2


def test_a_plain_model_without_projections_is_watched_by_its_features():
    alarm = CollapseAlarm()
    assert after(alarm, *[logs()] * 3) == []
    alarm.on_train_batch_end(0, {"loss": 1.0})
    alarm.on_train_batch_end(0, None)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_broken_loss_stops_training(loss):
    alarm = CollapseAlarm()
    (message,) = after(alarm, logs(), {"loss": loss})
    assert message.startswith(f"The loss is {loss}: the weights are broken and training stops")
    assert alarm.model.stop_training


def test_a_broken_loss_in_fit():
    network = keras.Sequential([keras.Input((16,)), layers.Dense(4)])
    network.compile("sgd", "mse")
    with pytest.warns(CollapseWarning, match="loss is nan"):
        history = network.fit(
            images(),
            np.full((256, 4), np.nan),
            epochs=5,
            verbose=0,
            callbacks=[CollapseAlarm(images())],
        )
    assert len(history.epoch) == 1


def test_says_that_there_is_nothing_to_watch():
    (message,) = after(CollapseAlarm(), {}, {})
    assert "watches the loss alone" in message
    assert "Pass `images`" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action": "raise"}, "Expected `action` 'warn' or 'stop'. Received: action='raise'"),
        ({"min_std": 1.5}, "Expected `min_std` from 0 to 1"),
        ({"min_rank": -1}, "Expected `min_rank`"),
        ({"patience": 0}, "Expected `patience` to be positive"),
        ({"window": 0}, "Expected `window` to be positive"),
        ({"images": np.ones((4, 2))}, "at least 32 images"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CollapseAlarm(**arguments)


@pytest.mark.parametrize(
    ("temperature", "float16", "suspects"),
    [
        (0.1, False, "Suspects: the learning rate of 0.25. "),
        (0.001, False, r"Suspects: the temperature of 0.001 \(logits up to 1000\), the learning"),
        (0.1, True, "Suspects: float16 without loss scaling, the learning rate"),
    ],
)
def test_a_broken_loss_names_what_may_have_broken_it(temperature, float16, suspects):
    policy = "mixed_float16" if float16 else "float32"
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, dtype=policy)])
    encoder.dtype_policy = keras.DTypePolicy(policy)
    loss = kc.losses.NTXent(temperature=temperature)
    method = kc.SimCLR(encoder, projector=None, loss=loss)
    method.compile(keras.optimizers.SGD(0.25), auto_scale_loss=False)
    alarm = CollapseAlarm()
    alarm.set_model(method)
    alarm.on_train_begin()
    with pytest.warns(CollapseWarning, match=suspects):
        alarm.on_epoch_end(0, {"loss": math.nan})
