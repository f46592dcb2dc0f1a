"""Learning on real images: scanned digits, without labels, beats the untrained encoder."""

import keras
import pytest

import keras_contrastive as kc

pytest.importorskip("sklearn")


def accuracy(encoder, digits, bank, queries):
    features = kc.evaluation.embed(encoder, digits.images)
    labels = digits.labels
    return kc.evaluation.knn_accuracy(
        features[bank], labels[bank], features[queries], labels[queries], k=20
    )


def byol(encoder, views):
    return kc.BYOL(
        encoder,
        views,
        projector=lambda dim: kc.layers.byol_mlp(dim, 256, 64),
        predictor=lambda dim: kc.layers.byol_mlp(dim, 256, 64, name="predictor"),
        momentum=0.95,
    )


METHODS = {
    "simclr": lambda *parts: kc.SimCLR(*parts, loss=kc.losses.NTXent(0.2)),
    "moco": lambda *parts: kc.MoCo(*parts, queue_size=1024, momentum=0.95),
    "byol": byol,
}


@pytest.mark.parametrize(
    ("name", "epochs"),
    [
        ("simclr", 6),
        pytest.param("moco", 15, marks=pytest.mark.slow),
        pytest.param("byol", 15, marks=pytest.mark.slow),
    ],
)
def test_knn_accuracy_rises(name, epochs):
    keras.utils.set_random_seed(0)
    digits = kc.data.digits(image_size=16)
    bank, queries = kc.data.train_holdout_split(digits.labels, 0.3, seed=0)
    pipeline = [
        kc.augmentation.RandomResizedCrop(16, scale=(0.4, 1.0), seed=1),
        kc.augmentation.RandomAffine(degrees=10, translate=(0.1, 0.1), seed=2),
        kc.augmentation.GaussianNoise((0.0, 0.1), seed=3),
    ]
    encoder = kc.encoders.small_resnet((16, 16, 1), widths=(16, 32))
    method = METHODS[name](encoder, kc.augmentation.Views([pipeline, pipeline]))
    before = accuracy(encoder, digits, bank, queries)
    method.compile(keras.optimizers.Adam(2e-3))
    method.fit(digits.images[bank], batch_size=128, epochs=epochs, verbose=0)
    after = accuracy(method.encoder, digits, bank, queries)
    assert after > before + 0.03
