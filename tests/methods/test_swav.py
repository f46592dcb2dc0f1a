"""SwAV: codes, queue, frozen prototypes, multi-crop, and two steps from the formulas."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.audit import gradients_of, value_with
from tests.methods.parts import compiled, images, swav, tiny_encoder

RATE = 0.5


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def rows_of(method):
    return ops.convert_to_numpy(method.prototypes.rows).copy()


def codes_of(scores, num_last):
    """The paper's algorithm, on K x B with its constants, for the last samples."""
    q = (scores / 0.05).exp().T
    q = q / q.sum()
    for _ in range(3):
        q = q / q.sum(1, keepdim=True) / q.shape[0]
        q = q / q.sum(0, keepdim=True) / q.shape[1]
    return (q * q.shape[1]).T[-num_last:]


def test_two_steps_are_those_of_the_formulas():
    """The first with frozen prototypes and no queue, the second with both at work."""
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = swav(queue_size=8, freeze_steps=1)
    compiled(method, keras.optimizers.SGD(RATE))
    network = plain.Double(method.encoder, method.projector)
    rows = plain.as_torch(method.prototypes.rows).requires_grad_(True)
    start, start_rows = plain.copies(network), rows.detach().clone()
    queues = None
    for step in range(2):
        batch = plain.torch.cat([plain.as_torch(v[8 * step : 8 * step + 8]) for v in views()])
        z1, z2 = plain.unit(network(batch)).split(8)
        scores = z1 @ rows.T, z2 @ rows.T
        seen = [each.detach() for each in (z1, z2)]
        if queues is not None:
            seen = [plain.torch.cat(pair) for pair in zip(queues, seen, strict=True)]
        q1, q2 = (codes_of(each @ rows.detach().T, 8) for each in seen)
        log_p1, log_p2 = (each.div(0.1).log_softmax(1) for each in scores)
        loss = -((q1 * log_p2).sum(1) + (q2 * log_p1).sum(1)).mean() / 2
        gradient = plain.torch.autograd.grad(loss, rows, retain_graph=True)[0]
        plain.sgd_step(loss, [network], RATE)
        queues = [each.detach() for each in (z1, z2)]
        if step:
            rows = plain.unit(rows.detach() - RATE * gradient).requires_grad_(True)
    plain.assert_moved(network, start)
    assert float((rows.detach() - start_rows).abs().max()) > 1e-3
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(network, method.encoder, method.projector)
    np.testing.assert_allclose(rows_of(method), rows.detach().numpy(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: kc.optimizers.L2SGD(0.1, momentum=0.9, weight_decay=0.5),
        lambda: kc.optimizers.LARS(10.0, weight_decay=0.5),
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.5),
    ],
)
def test_frozen_prototypes_stand_still_whatever_the_optimizer_does(optimizer):
    method = compiled(swav(freeze_steps=3), optimizer())
    before = rows_of(method)
    for epoch in range(2):
        method.fit(views(8 * (3 - epoch)), batch_size=8, verbose=0)  # three steps, then two
        moved = np.abs(rows_of(method) - before).max()
        assert moved == 0 if epoch == 0 else moved > 1e-3
    np.testing.assert_allclose(np.linalg.norm(rows_of(method), axis=1), 1, rtol=1e-5)


def test_accumulated_gradients_count_as_one_step():
    optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)
    method = compiled(swav(freeze_steps=1), optimizer)
    before = rows_of(method)
    method.fit(views(16), batch_size=8, verbose=0)
    np.testing.assert_array_equal(rows_of(method), before)
    method.fit(views(16), batch_size=8, verbose=0)
    assert np.abs(rows_of(method) - before).max() > 1e-3


@pytest.mark.parametrize("frozen", [True, False])
def test_gradients_reach_the_prototypes_only_when_they_thaw_and_the_queue_never(frozen):
    method = swav(freeze_steps=1 if frozen else 0)
    for queue in method.queues:
        queue.num_filled.assign(queue.size)  # its rows share in the codes
    watched = [method.prototypes.rows, method.queues[0].rows, method.encoder.weights[0]]
    prototypes, queue, encoder = gradients_of(method, views(8), watched)
    assert (prototypes == 0).all() == frozen
    assert (queue == 0).all()
    assert (encoder != 0).any()
    other = np.roll(ops.convert_to_numpy(method.queues[0].rows), 1, axis=1)
    rows = method.queues[0].rows
    same = value_with(method, views(8), rows, ops.convert_to_numpy(rows))
    assert abs(value_with(method, views(8), rows, other) - same) > 1e-4


@pytest.mark.parametrize(
    ("queue_start", "in_use"), [(0, [0, 0, 1, 1]), (3, [0, 0, 0, 1]), (9, [0] * 4)]
)
def test_the_queue_is_used_once_full_and_from_its_start_on(queue_start, in_use):
    method = compiled(swav(queue_size=10, queue_start=queue_start))
    logs = method.fit(views(8), batch_size=8, epochs=4, verbose=0).history
    assert logs["queue_in_use"] == in_use


def test_the_queue_holds_the_embeddings_of_its_view():
    method = compiled(swav(queue_size=8), keras.optimizers.SGD(0.0))
    method.fit(views(8), batch_size=8, shuffle=False, verbose=0)
    network = keras.Sequential([method.encoder, method.projector])
    z = ops.convert_to_numpy(network(np.concatenate(views(8)), training=True))
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    for queue, expected in zip(method.queues, np.split(z, 2), strict=True):
        rows = ops.convert_to_numpy(queue.read())
        np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)


def multi_crop():
    full = kc.augmentation.RandomResizedCrop(4, scale=(0.5, 1.0), seed=0)
    local = kc.augmentation.RandomResizedCrop(3, scale=(0.2, 0.5), seed=1)
    return kc.augmentation.MultiCrop([full] * 2, local=[local] * 2)


def pooling_encoder():
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(8, 3, padding="same"),
            kc.layers.batch_norm(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


@pytest.mark.parametrize("method", [kc.SwAV, kc.DINO])
def test_crops_of_two_sizes_train(method, tmp_path):
    method = compiled(method(pooling_encoder(), multi_crop(), num_prototypes=8, freeze_steps=1))
    x, _ = images(16)
    losses = method.fit(x, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert method.predict(x, verbose=0).shape == (16, 8)
    method.save(tmp_path / "method.keras")
    again = keras.saving.load_model(tmp_path / "method.keras")
    losses = again.fit(x, batch_size=8, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_only_full_views_give_codes():
    """With one full view of three, its own scores matter to the code alone, which is constant."""
    method = swav(num_full=1, queue_size=0)
    x = images(8)[0]
    three = tuple(ops.convert_to_tensor(v) for v in (x, x[:, ::-1].copy(), x[:, :, ::-1].copy()))
    seen = {}

    class Watching(kc.losses.SwappedPrediction):
        def call(self, codes, scores):
            seen["codes"], seen["scores"] = len(codes), len(scores)
            return super().call(codes, scores)

    method.swap_loss = Watching()
    method.objective(three)
    assert seen == {"codes": 1, "scores": 3}


def test_fewer_views_than_full_ones_are_refused():
    method = kc.SwAV(tiny_encoder(), num_full=3, num_prototypes=8)
    with pytest.raises(ValueError, match=r"Expected at least 3 views for SwAV\. Received: 2"):
        compiled(method).fit(views(8), batch_size=8, verbose=0)


@pytest.mark.parametrize(
    "arguments", [{"num_full": 0}, {"freeze_steps": -1}, {"queue_size": -1}, {"queue_start": -1}]
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"`num_full` of at least 1.*Received"):
        swav(**arguments)
