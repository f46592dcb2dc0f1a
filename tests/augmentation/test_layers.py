"""What all augmentations share: formats, seeds, data maps, compilation, configuration, errors."""

import inspect

import keras
import numpy as np
import pytest

from keras_contrastive import augmentation
from keras_contrastive.augmentation import (
    ColorJitter,
    GaussianBlur,
    GaussianNoise,
    MultiCrop,
    Pipeline,
    RandomAffine,
    RandomApply,
    RandomFlip,
    RandomGrayscale,
    RandomResizedCrop,
    RandomRotation,
    SaltAndPepper,
    SobelFilter,
    Solarize,
    Views,
    simclr_views,
)

LAYERS = {
    "crop": lambda **k: RandomResizedCrop((16, 12), scale=(0.2, 0.9), **k),
    "jitter": lambda **k: ColorJitter(0.4, 0.3, 0.2, 0.1, rate=0.7, **k),
    "grayscale": lambda **k: RandomGrayscale(0.4, **k),
    "blur": lambda **k: GaussianBlur(5, (0.2, 1.5), rate=0.6, **k),
    "solarize": lambda **k: Solarize(0.4, 0.6, **k),
    "flip": lambda **k: RandomFlip("horizontal_and_vertical", 0.4, **k),
    "rotation": lambda **k: RandomRotation((-10.0, 30.0), **k),
    "affine": lambda **k: RandomAffine(20.0, (0.1, 0.2), (0.8, 1.1), 5.0, **k),
    "sobel": lambda **k: SobelFilter(0.5, **k),
    "noise": lambda **k: GaussianNoise((0.01, 0.2), 0.8, **k),
    "salt": lambda **k: SaltAndPepper((0.05, 0.2), 0.8, **k),
    "apply": lambda **k: RandomApply([RandomFlip(rate=1.0, seed=5)], 0.5, **k),
    "pipeline": lambda **k: Pipeline([RandomFlip(seed=5), Solarize(seed=6)], **k),
}
RECIPES = [name for name in augmentation.__all__ if name.endswith("_views")]


def quick_views():
    """Two views of layers that take little time to compile."""
    return Views([[RandomFlip(seed=1), RandomGrayscale(0.5, seed=2)], [Solarize(seed=3)]], seed=0)


every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


@every_layer
def test_seed_and_config(run, photos, make):
    layer = make(seed=3)
    again = layer.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    first = run(layer, photos)
    assert first.dtype == "float32"
    assert 0 <= first.min() <= first.max() <= 1
    assert first.shape == layer.compute_output_shape(photos.shape)
    np.testing.assert_array_equal(first, run(again, photos))
    assert max(np.abs(run(layer, photos) - first).max() for _ in range(3)) > 0.01  # drawn anew


@every_layer
def test_no_argument_is_missing_in_the_config(make):
    layer = make()
    for cls in type(layer).__mro__:
        if cls.__module__.startswith("keras_contrastive"):
            names = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}
            assert names <= set(layer.get_config())


@every_layer
def test_uint8_is_float_over_255(run, photos, make):
    np.testing.assert_allclose(
        run(make(seed=1), photos), run(make(seed=1), (photos / 255).astype("float32")), atol=1e-5
    )


@every_layer
def test_one_image_and_channels_first(run, photos, make):
    one = run(make(seed=1), photos[0])
    batch = run(make(seed=1), photos[:1])
    np.testing.assert_allclose(one, batch[0], atol=1e-5)
    first = make(seed=1, data_format="channels_first")
    planes = run(first, photos[:1].transpose(0, 3, 1, 2))
    np.testing.assert_allclose(planes.transpose(0, 2, 3, 1), batch, atol=1e-5)
    assert planes.shape == first.compute_output_shape((1, 3, 48, 40))


@every_layer
def test_tensorflow_graph_with_dynamic_batch_and_xla(photos, make):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's compilation")
    import tensorflow as tf

    signature = [tf.TensorSpec((None, 48, 40, 3), tf.uint8)]
    graph = tf.function(make(seed=1), input_signature=signature)(photos)
    np.testing.assert_allclose(graph, make(seed=1)(photos), atol=1e-5)
    xla = tf.function(make(seed=1), jit_compile=True)(tf.constant(photos))
    assert xla.shape == graph.shape
    assert 0 <= float(tf.reduce_min(xla)) <= float(tf.reduce_max(xla)) <= 1


def test_jax_jit_draws_what_eager_does(run, photos):
    if keras.backend.backend() != "jax":
        pytest.skip("JAX's compilation")
    for make in (LAYERS["crop"], LAYERS["blur"], LAYERS["flip"]):
        np.testing.assert_allclose(make(seed=1)(photos), run(make(seed=1), photos), atol=1e-5)


@pytest.mark.parametrize("batched", [True, False])
def test_tf_data_map(photos, batched):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(photos)
    dataset = dataset.batch(3) if batched else dataset
    dataset = dataset.map(quick_views())
    shape = [None, 48, 40, 3] if batched else [48, 40, 3]
    assert [spec.shape.as_list() for spec in dataset.element_spec] == [shape] * 2
    first = next(iter(dataset))
    expected = quick_views()(photos[:3] if batched else photos[0])
    for view, wanted in zip(first, expected):
        np.testing.assert_allclose(view, np.asarray(wanted), atol=1e-5)
    assert len(list(dataset)) == (2 if batched else 6)


def test_tf_data_map_of_one_layer(photos):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(photos).map(RandomFlip(seed=1))
    assert dataset.element_spec.shape.as_list() == [48, 40, 3]
    assert np.asarray(next(iter(dataset))).max() <= 1


def test_grain_map(photos):
    grain = pytest.importorskip("grain")
    dataset = grain.MapDataset.source(list(photos)).map(quick_views()).batch(3)
    first, second = dataset[0]
    assert np.asarray(first).shape == np.asarray(second).shape == (3, 48, 40, 3)


def test_plain_map(photos):
    pairs = list(map(quick_views(), photos))
    assert all(np.asarray(view).shape == (48, 40, 3) for pair in pairs for view in pair)


def test_training_argument_changes_nothing(photos):
    for training in (True, False, None):
        flipped = RandomFlip(rate=1.0)(photos, training=training)
        np.testing.assert_allclose(flipped, photos[:, :, ::-1] / np.float32(255), atol=1e-5)


def test_samples_of_a_batch_differ(run, photos):
    for view in run(simclr_views(16, seed=0), np.stack([photos[5]] * 6)):
        distances = np.abs(view[:, None] - view[None]).mean((2, 3, 4))
        assert distances[~np.eye(6, dtype=bool)].min() > 0.01


def test_views_of_one_pipeline_differ_also_after_loading(run, photos):
    for second in ([], [RandomFlip(rate=0.0)]):
        crop = RandomResizedCrop(16, seed=1)
        views = Views([[crop], [crop, *second]], seed=0)
        loaded = Views.from_config(views.get_config())
        first, second = run(views, photos)
        assert np.abs(first - second).max() > 0.1
        for one, other in zip((first, second), run(loaded, photos)):
            np.testing.assert_array_equal(one, other)


def test_multi_crop_keeps_full_views_first(run, photos):
    full, small = RandomResizedCrop(20), RandomResizedCrop(8, scale=(0.05, 0.14))
    views = MultiCrop([full] * 2, [[small, RandomFlip()]] * 3)
    loaded = MultiCrop.from_config(views.get_config())
    assert loaded.num_full == views.num_full == 2
    assert [view.shape[1] for view in run(loaded, photos)] == [20, 20, 8, 8, 8]


def test_views_in_a_saved_model(run, photos, tmp_path):
    inputs = keras.Input((48, 40, 3), dtype="uint8")
    model = keras.Model(inputs, quick_views()(inputs))
    model.save(tmp_path / "views.keras")
    loaded = keras.saving.load_model(tmp_path / "views.keras")
    for one, other in zip(run(model, photos), run(loaded, photos)):
        np.testing.assert_array_equal(one, other)


def test_pipeline_takes_other_keras_layers(run, photos):
    pipeline = Pipeline([RandomFlip(rate=0.0), keras.layers.CenterCrop(16, 12), Solarize(rate=0.0)])
    assert pipeline.compute_output_shape((None, 48, 40, 3)) == (None, 16, 12, 3)
    expected = photos[:, 16:32, 14:26] / np.float32(255)
    np.testing.assert_allclose(run(pipeline, photos), expected, atol=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(name):
    views = getattr(augmentation, name)(size=16, seed=1)
    shapes = [view.shape for view in views(keras.Input((48, 40, 3), dtype="uint8"))]
    assert shapes == list(views.compute_output_shape((None, 48, 40, 3)))
    assert shapes[:2] == [(None, 16, 16, 3)] * 2
    seeds = {id(layer): layer.seed for p in views.pipelines for layer in p.layers}
    assert len(set(seeds.values())) == len(seeds)  # no two layers draw alike
    again = getattr(augmentation, name)(size=16, seed=1)
    assert [k.seed for p in again.pipelines for k in p.layers] == [
        k.seed for p in views.pipelines for k in p.layers
    ]


def test_recipes_follow_the_table():
    def rates(views, kind):
        return [[la.rate for la in p.layers if isinstance(la, kind)] for p in views.pipelines]

    simclr = augmentation.simclr_views(32, strength=0.5, blur=0.0)
    assert rates(simclr, GaussianBlur) == [[], []]
    jitter = simclr.pipelines[0].layers[2]
    strengths = (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue, jitter.rate)
    assert strengths == (0.4, 0.4, 0.4, 0.1, 0.8)
    byol = augmentation.byol_views(32)
    assert rates(byol, GaussianBlur) == [[1.0], [0.1]]
    assert rates(byol, Solarize) == [[], [0.2]]
    moco = augmentation.moco_v1_views(32)
    order = [type(layer) for layer in moco.pipelines[0].layers]
    assert order == [RandomResizedCrop, RandomGrayscale, ColorJitter, RandomFlip]
    swav = augmentation.swav_views()
    assert [p.layers[0].size[0] for p in swav.pipelines] == [224] * 2 + [96] * 6
    assert swav.pipelines[-1].layers[0].scale == (0.05, 0.14)
    dino = augmentation.dino_views()
    assert [p.layers[0].scale for p in dino.pipelines] == [(0.4, 1.0)] * 2 + [(0.05, 0.4)] * 8


def test_gray_images(run):
    digits = np.random.default_rng(0).random((4, 8, 8, 1), dtype="float32")
    for view in run(simclr_views(8, blur=0.0, seed=0), digits):
        assert view.shape == (4, 8, 8, 1)


@pytest.mark.parametrize(
    ("layer", "images", "message"),
    [
        (RandomFlip(), np.zeros((8, 8), "uint8"), r"rank 3.*Received: shape \(8, 8\)"),
        (RandomFlip(), np.zeros((1, 1, 8, 8, 3), "uint8"), "rank 4"),
        (RandomFlip(), np.zeros((8, 8, 3), "int32"), "uint8 in 0..255.*int32"),
        (RandomFlip(), np.full((8, 8, 3), 255.0), r"float images in \[0, 1\].*255"),
        (RandomFlip(), np.full((8, 8, 3), -1.0), r"float images in \[0, 1\].*-1"),
        (ColorJitter(), np.zeros((8, 8, 4), "uint8"), "1 or 3 channels.*Received: 4"),
        (Pipeline([ColorJitter()]), np.zeros((8, 8, 2), "uint8"), "1 or 3 channels.*Received: 2"),
        (
            RandomApply([RandomResizedCrop(4)]),
            np.zeros((8, 8, 3), "uint8"),
            "keep the shape",
        ),
        (GaussianBlur(9), np.zeros((4, 4, 3), "uint8"), "at most 7 taps.*Received: 9"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unsuitable_images(layer, images, message):
    with pytest.raises(ValueError, match=message):
        layer(images)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomResizedCrop(0), "positive"),
        (lambda: RandomResizedCrop(8, scale=(0.5, 0.1)), r"scale as \(low, high\).*\(0.5, 0.1\)"),
        (lambda: RandomResizedCrop(8, ratio=(0.0, 1.0)), "ratio"),
        (lambda: RandomResizedCrop(8, interpolation="nearest"), "'nearest'"),
        (lambda: ColorJitter(brightness=-1), "brightness.*-1"),
        (lambda: ColorJitter(hue=0.6), "hue.*0.6"),
        (lambda: RandomGrayscale(1.1), r"rate.*\[0, 1\].*1.1"),
        (lambda: GaussianBlur(4), "odd.*4"),
        (lambda: GaussianBlur(sigma=(2.0, 1.0)), "sigma"),
        (lambda: Solarize(threshold=128), "threshold.*128"),
        (lambda: RandomFlip("diagonal"), "'diagonal'"),
        (lambda: RandomRotation((20, 10)), "degrees"),
        (lambda: RandomAffine(0.0, translate=(2.0, 0.0)), "translate"),
        (lambda: RandomAffine(0.0, shear=90), "shear"),
        (lambda: GaussianNoise((-0.1, 0.1)), "stddev"),
        (lambda: SaltAndPepper((0.0, 2.0)), "amount"),
        (lambda: RandomFlip(data_format="last"), "data_format.*'last'"),
        (lambda: Views([]), "one a view"),
        (lambda: Pipeline([np.flip]), "Keras layers"),
    ],
)
def test_unsuitable_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_view_of_one_layer_keeps_its_rate():
    x = np.random.default_rng(0).uniform(size=(200, 4, 4, 3)).astype("float32")
    layer = RandomApply([RandomFlip(rate=1.0, seed=5)], 0.25, seed=1)
    for view in Views([layer, layer])(x):
        changed = (keras.ops.convert_to_numpy(view) != x).any(axis=(1, 2, 3)).mean()
        assert 0.1 < changed < 0.4
