"""Batches follow the epochs of `fit`."""

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from tests.methods.parts import compiled, images, simclr

NUM = 24


class Watched(kc.data.Rows):
    """Rows that note in which order they were drawn in each epoch."""

    def __init__(self, x):
        super().__init__((x,), batch_size=8, seed=3)
        self.orders = {}

    def draw(self):
        order = self.orders[self.epoch] = super().draw()
        return order


def orders(runs):
    """The orders of epochs, by epoch, over several calls of `fit` on the same batches."""
    method, batches = compiled(simclr()), Watched(images(NUM)[0])
    for run in runs:
        method.fit(batches, verbose=0, **run)
    return batches.orders


def test_a_run_that_begins_in_the_middle_sees_the_orders_of_its_epochs():
    whole, rest = orders([{"epochs": 4}]), orders([{"initial_epoch": 2, "epochs": 4}])
    for epoch in (2, 3):
        np.testing.assert_array_equal(rest[epoch], whole[epoch])
    assert np.any(whole[2] != whole[0])


def test_a_second_fit_goes_on_to_new_orders():
    twice = orders([{"epochs": 2}, {"epochs": 2}])
    assert {0, 1, 2, 3} <= set(twice)


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], lambda c: [[c]], "list"])
def test_the_callbacks_that_are_given_are_called_too(wrap):
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    method, batches = compiled(simclr()), Watched(images(NUM)[0])
    if wrap == "list":
        callbacks = keras.callbacks.CallbackList([watch], True, model=method)
    else:
        callbacks = wrap(watch)
    method.fit(batches, epochs=3, initial_epoch=1, callbacks=callbacks, verbose=0)
    assert seen == [1, 2]
    assert {1, 2} <= set(batches.orders)
