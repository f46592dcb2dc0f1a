"""SupCon as a method: steps from the formulas, labels, and the classifier beside it."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive import losses
from tests.methods.parts import compiled, images, supcon

RATE = 0.1


def data(num=16):
    x, y = images(num)
    return (x, x[:, ::-1].copy()), y


def supcon_loss(torch, z, labels):
    """The mean over anchors, by the formula; temperature 0.1."""
    logits = z @ z.T / 0.1
    itself = torch.eye(len(z), dtype=torch.bool)
    positive = (labels[:, None] == labels[None, :]) & ~itself
    everything = logits.masked_fill(itself, -torch.inf).logsumexp(1)
    return (everything - (logits * positive).sum(1) / positive.sum(1)).mean()


@pytest.mark.parametrize("num_classes", [None, 4])
def test_two_steps_are_those_of_the_formulas(num_classes):
    torch = pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = supcon(num_classes=num_classes, classifier_weight=0.5)
    method = compiled(method, keras.optimizers.SGD(RATE))
    encoder, projector = plain.Double(method.encoder), plain.Double(method.projector)
    networks = [encoder, projector]
    if num_classes is not None:
        holder = keras.Sequential([keras.Input((6,)), method.classifier])
        networks.append(plain.Double(holder))
    start = plain.copies(encoder)
    views, y = data()
    y[3] = -1  # a class of its own, and nothing to the classifier
    for step in range(2):
        rows = slice(8 * step, 8 * step + 8)
        labels = torch.tensor(y[rows])
        features = encoder(torch.cat([plain.as_torch(view[rows]) for view in views]))
        alone = torch.where(labels == -1, 100, labels).repeat(2)
        loss = supcon_loss(torch, plain.unit(projector(features)), alone)
        if num_classes is not None:
            labelled = labels.repeat(2) != -1
            logits = networks[2](features)[labelled]
            crossed = torch.nn.functional.cross_entropy(logits, labels.repeat(2)[labelled])
            loss = loss + 0.5 * crossed
        plain.sgd_step(loss, networks, RATE)
    plain.assert_moved(encoder, start)
    method.fit(views, y, batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(encoder, method.encoder)
    plain.assert_same(projector, method.projector)
    if num_classes is not None:
        plain.assert_same(networks[2], holder)


def test_embeddings_reach_the_loss_sample_by_sample():
    seen = {}

    class Watching(keras.losses.Loss):
        def call(self, labels, embeddings):
            seen["labels"], seen["embeddings"] = labels, embeddings
            return ops.sum(embeddings, axis=(1, 2))

    method = supcon(loss=Watching(), num_classes=None)
    (x1, x2), y = data(4)
    method.objective(
        (ops.convert_to_tensor(x1), ops.convert_to_tensor(x2)), ops.convert_to_tensor(y)
    )
    both = np.concatenate([x1, x2])
    rows = method.projector(method.encoder(both, training=True), training=True)
    rows = ops.convert_to_numpy(ops.stop_gradient(rows))
    found = ops.convert_to_numpy(ops.stop_gradient(seen["embeddings"]))
    np.testing.assert_allclose(found[:, 0], rows[:4], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found[:, 1], rows[4:], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "loss", [losses.SINCERE(0.1), losses.Triplet(mining="all"), losses.Triplet(mining="batch-hard")]
)
def test_any_supervised_loss_separates_the_classes(loss):
    (x, _), y = data(32)
    method = compiled(supcon(loss=loss), keras.optimizers.Adam(0.01))
    history = method.fit(x, y, batch_size=16, epochs=8, verbose=0).history
    assert history["class_accuracy"][-1] > 0.9
    assert history["classifier_accuracy"][-1] > history["classifier_accuracy"][0]


def test_without_labels_alike_it_is_simclr():
    """Every sample a class of its own: NT-Xent, whose mean is over the same 2N anchors."""
    method = supcon(num_classes=None, loss=losses.SupCon(0.5))
    other = kc.SimCLR(method.encoder, None, method.projector, losses.NTXent(0.5))
    views = tuple(ops.convert_to_tensor(view) for view in data(8)[0])
    unlabelled = ops.convert_to_tensor(np.full(8, -1, "int32"))
    ours = ops.stop_gradient(method.objective(views, unlabelled)["loss"])
    theirs = ops.stop_gradient(other.objective(views)["loss"])
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), rtol=1e-3, atol=1e-4
    )


def test_class_batches_train_it():
    x, y = images(40)
    batches = kc.data.ClassBatches(x, y, classes_per_batch=3, samples_per_class=2)
    method = compiled(supcon(loss=losses.Triplet(mining="semi-hard")))
    assert np.isfinite(method.fit(batches, verbose=0).history["loss"][0])


def test_labels_of_other_shapes_and_types_do():
    (x, _), y = data(8)
    logs = compiled(supcon()).fit(x, y[:, None].astype("uint8"), batch_size=8, verbose=0).history
    assert np.isfinite(logs["loss"][0])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "Expected labels for SupCon. Received: no labels.*-1 stands for a sample without"),
        (np.arange(8), r"labels in 0\.\.3 \(num_classes=4\).*from 0 to 7"),
        (np.array([-2] * 8), "Received: labels from -2"),
        (np.linspace(0, 1, 8), "integer labels"),
    ],
)
def test_labels_that_do_not_do(labels, message):
    (x, _), _ = data(8)
    with pytest.raises(ValueError, match=message):
        compiled(supcon()).fit(x, labels, batch_size=8, verbose=0)


def test_a_stream_with_a_label_out_of_range_shows_in_the_loss():
    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return data(8)[0][0], np.array([0, 1, 2, 4, 0, 1, 2, 3])

    logs = compiled(supcon()).fit(Stream(), verbose=0).history
    assert np.isnan(logs["loss"][0])
    logs = compiled(supcon(num_classes=5)).fit(Stream(), verbose=0).history
    assert np.isfinite(logs["loss"][0])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`classifier_weight` of at least 0"):
        supcon(classifier_weight=-1.0)
