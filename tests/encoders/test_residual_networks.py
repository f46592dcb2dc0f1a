import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders import resnet18, resnet34, resnet50, small_resnet


def tiny(builder, **kwargs):
    return builder(input_shape=(16, 16, 3), width=0.0625, **kwargs)


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def images(n=2, size=16, channels=3, seed=0):
    return np.random.default_rng(seed).random((n, size, size, channels), "float32")


def numpy(x):
    return ops.convert_to_numpy(x)


# The counts of the original networks, less their classifiers of 1000 classes.
@pytest.mark.parametrize(
    ("builder", "stem", "expected"),
    [
        (resnet18, "imagenet", 11_689_512 - 513_000),
        (resnet18, "small", 11_689_512 - 513_000 - 64 * 3 * (49 - 9)),
        (resnet34, "imagenet", 21_797_672 - 513_000),
        (resnet50, "imagenet", 25_557_032 - 2_049_000),
    ],
)
def test_number_of_weights(builder, stem, expected):
    assert trainable(builder(stem=stem)) == expected


def test_small_resnet_has_the_weights_counted_by_hand():
    norm = lambda c: 2 * c  # noqa: E731
    conv = lambda i, o, k=3: k * k * i * o  # noqa: E731
    expected = conv(3, 32) + norm(32)
    expected += 2 * (conv(32, 32) + norm(32))
    for i, o in ((32, 64), (64, 128)):
        expected += conv(i, o) + conv(o, o) + conv(i, o, 1) + 3 * norm(o)
    assert trainable(small_resnet()) == expected == 307_360


@pytest.mark.parametrize(
    ("builder", "shape", "last", "features"),
    [
        (lambda **k: resnet18(width=0.125, **k), (64, 64, 3), (2, 2), 64),
        (lambda **k: resnet18(width=0.125, stem="small", **k), (32, 32, 3), (4, 4), 64),
        (lambda **k: resnet50(width=0.125, **k), (64, 64, 3), (2, 2), 256),
        (small_resnet, (32, 32, 3), (4, 4), 128),
        (small_resnet, (8, 8, 1), (1, 1), 128),
        (lambda **k: small_resnet(widths=(8, 12), **k), (33, 20, 4), (9, 5), 12),
    ],
)
def test_shapes(builder, shape, last, features):
    model = builder(input_shape=shape)
    assert tuple(model.layers[-1].input.shape[1:3]) == last
    assert model.output_shape == (None, features)


def test_sizes_may_be_left_open():
    model = small_resnet(input_shape=(None, None, 3), widths=(4, 8))
    for size in (8, 21):
        assert model(images(size=size)).shape == (2, 8)


def test_version_1_5_has_the_stride_in_the_3x3():
    model = resnet50(input_shape=(64, 64, 3), width=0.125)
    assert model.get_layer("stage2_block1_conv1").strides == (1, 1)
    assert model.get_layer("stage2_block1_conv2").strides == (2, 2)
    assert model.get_layer("stage2_block1_shortcut_conv").strides == (2, 2)
    assert model.get_layer("stage1_block1_shortcut_conv").strides == (1, 1)
    assert model.get_layer("stage1_block1_conv3").filters == 32


@pytest.mark.parametrize("builder", [resnet50, small_resnet])
def test_layers_have_the_papers_settings(builder):
    for layer in tiny(builder).layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert not layer.use_bias
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)


def test_kernels_begin_he_normal_by_fan_out():
    model = small_resnet(widths=(64, 128))
    kernel = numpy(ops.copy(model.get_layer("stage2_block1_conv1").kernel))  # 64 to 128
    assert kernel.mean() == pytest.approx(0, abs=1e-3)
    assert kernel.std() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    # An untruncated normal: 4.55 % beyond two standard deviations.
    assert np.mean(np.abs(kernel) > 2 * kernel.std()) == pytest.approx(0.0455, abs=0.003)


@pytest.mark.parametrize("builder", [small_resnet, resnet50])
def test_each_block_begins_as_its_shortcut(builder):
    x = images()
    zero = tiny(builder)
    block = "stage1_block1" if builder is small_resnet else "stage1_block2"
    outputs = [zero.get_layer(f"{block}_{name}") for name in ("add", "out")]
    before, after = keras.Model(zero.input, [outputs[0].input[0], outputs[1].output])(x)
    np.testing.assert_array_equal(numpy(before), numpy(after))
    assert numpy(before).std() > 0

    one = tiny(builder, zero_init_residual=False)
    outputs = [one.get_layer(f"{block}_{name}") for name in ("add", "out")]
    before, after = keras.Model(one.input, [outputs[0].input[0], outputs[1].output])(x)
    assert np.abs(numpy(before) - numpy(after)).max() > 1e-3


@pytest.mark.parametrize("size", [15, 16])
def test_strided_convolutions_are_padded_on_both_sides(size):
    """The output at (0, 0) sees rows -1..1; Keras's own "same" would see 0..2 at even sizes."""
    model = small_resnet(input_shape=(size, size, 3), widths=(4,))
    conv = model.get_layer("stem_conv")
    x = images(1, size)
    kernel, out = numpy(ops.copy(conv.kernel)), keras.Model(model.input, conv.output)(x)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    padded = np.pad((x[0] - mean) / std, ((1, 1), (1, 1), (0, 0)))
    for row, column in ((0, 0), (3, 5), (7, 7)):
        window = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        expected = np.einsum("hwc,hwco->o", window, kernel)
        np.testing.assert_allclose(numpy(out)[0, row, column], expected, rtol=1e-3, atol=1e-4)


def test_the_pooling_of_the_stem_is_padded_on_both_sides():
    model = tiny(resnet18)
    relu, pool = model.get_layer("stem_relu"), model.get_layer("stem_pool")
    before, after = map(numpy, keras.Model(model.input, [relu.output, pool.output])(images()))
    padded = np.pad(before, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    expected = np.stack(
        [
            [padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2)) for j in range(4)]
            for i in range(4)
        ]
    )  # (rows, columns, N, C)
    np.testing.assert_array_equal(after, expected.transpose(2, 0, 1, 3))


def test_images_are_normalised_inside():
    model = small_resnet(input_shape=(8, 8, 2), widths=(4,), mean=(0.25, 0.5), std=(0.5, 0.125))
    inner = keras.Model(model.input, model.get_layer("normalization").output)
    x = images(size=8, channels=2)
    np.testing.assert_allclose(
        numpy(inner(x)), (x - [0.25, 0.5]) / [0.5, 0.125], rtol=1e-5, atol=1e-6
    )
    gray = small_resnet(input_shape=(8, 8, 1), widths=(4,))
    inner = keras.Model(gray.input, gray.get_layer("normalization").output)
    x = images(size=8, channels=1)
    np.testing.assert_allclose(numpy(inner(x)), 2 * x - 1, atol=1e-6)


def test_width_multiplies_every_layer():
    filters = {
        width: [
            layer.filters
            for layer in resnet18(input_shape=(32, 32, 3), width=width).layers
            if isinstance(layer, keras.layers.Conv2D)
        ]
        for width in (0.25, 0.5)
    }
    assert filters[0.5] == [2 * count for count in filters[0.25]]
    assert filters[0.25][0] == 16


@pytest.mark.parametrize(
    "builder",
    [
        small_resnet,
        pytest.param(resnet18, marks=pytest.mark.slow),
        pytest.param(resnet50, marks=pytest.mark.slow),
    ],
)
def test_gradients_reach_every_weight(builder):
    """One step of SGD moves every weight (the scales that begin at zero block nothing for good)."""
    model = tiny(builder, zero_init_residual=False)
    before = [np.array(w) for w in model.get_weights()]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(images(4), np.ones((4, model.output_shape[1])), verbose=0)
    for weight, old in zip(model.weights, before, strict=True):
        assert np.abs(np.asarray(weight) - old).max() > 0, weight.path


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_gives_finite_float32_features(policy):
    full = small_resnet(widths=(8, 16), zero_init_residual=False)
    keras.config.set_dtype_policy(policy)
    try:
        mixed = small_resnet(widths=(8, 16), zero_init_residual=False)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(full.get_weights())
    x = images(size=32)
    features = mixed(x)
    assert keras.backend.standardize_dtype(features.dtype) == "float32"
    assert mixed.get_layer("stem_conv").compute_dtype in policy
    np.testing.assert_allclose(numpy(features), numpy(full(x)), atol=0.05, rtol=0.05)


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="TensorFlow convolves channels-last on CPU"
)
def test_channels_first_gives_the_same_features():
    last = small_resnet(widths=(4, 8), zero_init_residual=False)
    keras.config.set_image_data_format("channels_first")
    try:
        first = small_resnet(input_shape=(3, 32, 32), widths=(4, 8), zero_init_residual=False)
    finally:
        keras.config.set_image_data_format("channels_last")
    first.set_weights(last.get_weights())
    x = images(size=32)
    np.testing.assert_allclose(
        numpy(first(x.transpose(0, 3, 1, 2))), numpy(last(x)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("builder", [resnet50, small_resnet])
def test_names_are_readable_and_weights_copy(builder):
    model, other = tiny(builder, name="one"), tiny(builder, name="two")
    assert model.name == "one"
    names = [layer.name for layer in model.layers]
    assert "stage2_block1_conv1" in names
    assert names == [layer.name for layer in other.layers]
    other.set_weights(model.get_weights())
    for a, b in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stem": "cifar"}, "Received: stem='cifar'"),
        ({"width": 0.001}, "at least one filter a layer. Received: width=0.001"),
        ({"input_shape": (None, 32, 32, 3)}, "3 entries"),
        ({"input_shape": (32, 32, None)}, "known number of channels"),
        ({"mean": (0.5,)}, r"one value a channel \(3\). Received: mean="),
        ({"std": (0.5, 0.5)}, r"one value a channel \(3\). Received: std="),
        ({"std": (0.5, 0.0, 0.5)}, "std to be positive"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        resnet18(**arguments)


def test_small_resnet_refuses_no_widths():
    with pytest.raises(ValueError, match="at least one width"):
        small_resnet(widths=())
