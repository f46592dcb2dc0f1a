"""Copies and momentum pairs."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.training import MomentumPair, MomentumPairs, copy_network


def network():
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    )


def test_a_copy_has_the_weights_and_shares_no_variable():
    original = network()
    copy = copy_network(original)
    for ours, theirs in zip(copy.weights, original.weights, strict=True):
        assert ours is not theirs
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_a_copy_of_a_subclass_keeps_the_class():
    @keras.saving.register_keras_serializable(package="tests")
    class Backbone(keras.Model):
        def __init__(self, **kwargs):
            inputs = keras.Input((3,))
            super().__init__(inputs, keras.layers.Dense(2)(inputs), **kwargs)

        def get_config(self):
            return {"name": self.name}

        @classmethod
        def from_config(cls, config, custom_objects=None):
            return cls(**config)

    assert type(copy_network(Backbone())) is Backbone


def test_moves_only_when_the_optimizer_has_stepped():
    online, target = network(), network()
    pair = MomentumPair([online], [target], momentum=0.75)
    before = target.get_weights()
    pair.update(0, ops.convert_to_tensor(False))
    for a, b in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pair.update(0, ops.convert_to_tensor(True))
    np.testing.assert_allclose(
        target.get_weights()[0], 0.75 * before[0] + 0.25 * online.get_weights()[0], rtol=1e-5
    )


def test_pairs_leave_moving_statistics_out_and_freeze_the_target():
    target = network()
    pair = MomentumPair([network()], [target], momentum=0.9)
    assert len(pair.variables) == 4  # kernel, bias, gamma, beta
    assert target.trainable_variables == []
    assert target.layers[1].trainable  # still normalises with the batch when it trains


def test_a_target_of_another_architecture_is_refused():
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        MomentumPair([network()], [other], momentum=0.9)


def test_several_pairs_move_each_at_its_speed():
    online, targets = network(), [network(), network()]
    before = [target.get_weights()[0] for target in targets]
    pairs = [
        MomentumPair([online], [target], momentum)
        for target, momentum in zip(targets, (0.75, 0.5), strict=True)
    ]
    both = MomentumPairs(pairs)
    both.update(0, ops.convert_to_tensor(True))
    for target, old, momentum in zip(targets, before, (0.75, 0.5), strict=True):
        expected = momentum * old + (1 - momentum) * online.get_weights()[0]
        np.testing.assert_allclose(target.get_weights()[0], expected, rtol=1e-5)
    assert float(both.momentum_at(0)) == pytest.approx(0.625)
    assert len(both.variables) == 8


def test_a_layer_that_was_frozen_at_first_is_followed_when_it_has_thawed():
    online = network()
    online.layers[0].trainable = False
    online.layers[1].trainable = False
    target = copy_network(online)
    pair = MomentumPair([online], [target], momentum=0.75)
    assert len(pair.variables) == 4
    assert not target.layers[1].trainable  # normalises with moving statistics, as its original
    online.layers[0].trainable = online.layers[1].trainable = True
    pair.freeze()
    assert target.layers[1].trainable
    assert target.trainable_variables == []
    before = target.get_weights()[0]
    online.layers[0].kernel.assign(before + 1)
    pair.update(0, ops.convert_to_tensor(True))
    np.testing.assert_allclose(target.get_weights()[0], before + 0.25, rtol=1e-5)
