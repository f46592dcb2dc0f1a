"""Heads layer by layer, as the papers list them."""

import keras
import pytest

from keras_contrastive import layers


def shape_of(head):
    return [type(layer).__name__ for layer in head.layers]


def test_simclr_v1():
    head = layers.simclr_v1_projector(64, hidden_dim=32)
    assert shape_of(head) == ["Dense", "BatchNormalization", "ReLU", "Dense", "BatchNormalization"]
    assert not head.layers[3].use_bias
    assert head.output_shape == (None, 128)


def test_simclr_v2_has_one_hidden_layer_more():
    head = layers.simclr_v2_projector(64)
    assert shape_of(head) == ["Dense", "BatchNormalization", "ReLU"] * 2 + [
        "Dense",
        "BatchNormalization",
    ]


def test_moco_heads_have_no_batch_norm():
    assert shape_of(layers.moco_v1_projector(64)) == ["Dense"]
    assert shape_of(layers.moco_v2_projector(64)) == ["Dense", "ReLU", "Dense"]


def test_byol_ends_without_bias_or_batch_norm():
    head = layers.byol_mlp(64)
    assert shape_of(head) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    assert [head.layers[0].units, head.layers[3].units] == [4096, 256]
    assert head.layers[0].use_bias
    assert not head.layers[3].use_bias


def test_batch_norm_has_the_constants_of_the_references():
    norm = layers.simclr_v1_projector(8).layers[1]
    assert (norm.epsilon, norm.momentum) == (1e-5, 0.9)


def test_build_head_takes_a_model_a_function_or_nothing():
    unbuilt = keras.Sequential([keras.layers.Dense(4)])
    assert layers.build_head(unbuilt, layers.byol_mlp, 8).output_shape == (None, 4)
    assert layers.build_head(layers.moco_v1_projector, layers.byol_mlp, 8).output_shape[-1] == 128
    assert layers.build_head(None, layers.byol_mlp, 8).output_shape[-1] == 256


def test_a_head_for_another_dimension_is_refused():
    with pytest.raises(ValueError, match="dimension 16"):
        layers.build_head(layers.moco_v1_projector(8), layers.byol_mlp, 16)


def test_simsiam_ends_with_a_normalisation_that_has_no_scale():
    head = layers.simsiam_projector(64, hidden_dim=32, output_dim=16)
    assert shape_of(head) == [
        *["Dense", "BatchNormalization", "ReLU"] * 2,
        *["Dense", "BatchNormalization"],
    ]
    assert not any(dense.use_bias for dense in head.layers[::3])
    assert not head.layers[-1].scale
    assert not head.layers[-1].center
    predictor = layers.simsiam_predictor(16, hidden_dim=4)
    assert shape_of(predictor) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    assert [predictor.layers[0].use_bias, predictor.layers[3].use_bias] == [False, True]
    assert predictor.output_shape == (None, 16)


def test_swav_ends_without_normalisation():
    head = layers.swav_projector(64)
    assert shape_of(head) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    assert [head.layers[0].units, head.layers[3].units] == [2048, 128]


def test_dino_has_gelus_and_batch_norm_on_demand():
    assert shape_of(layers.dino_projector(64)) == [*["Dense", "Activation"] * 2, "Dense"]
    assert shape_of(layers.dino_projector(64, normalized=True)) == [
        *["Dense", "BatchNormalization", "Activation"] * 2,
        "Dense",
    ]
