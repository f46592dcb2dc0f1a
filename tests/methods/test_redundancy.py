"""Barlow Twins, VICReg and MMCR: steps from the formulas, views apart."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.methods.audit import gradients_of, value_with
from tests.methods.parts import barlow_twins, compiled, images, mmcr, vicreg

RATE = 0.02
PAPER = {"invariance_weight": 25.0, "variance_weight": 25.0, "covariance_weight": 1.0}


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def barlow_twins_loss(z1, z2):
    n = len(z1)
    z1, z2 = ((z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt() for z in (z1, z2))
    square = (z1.T @ z2 / n) ** 2
    diagonal = (z1 * z2).mean(0)
    return ((1 - diagonal) ** 2).sum() + 0.1 * (square.sum() - square.diagonal().sum())


def vicreg_loss(z1, z2):
    loss = 25.0 * ((z1 - z2) ** 2).mean()
    for z in (z1, z2):
        covariance = z.T.cov()
        loss = loss + 12.5 * (1 - (covariance.diagonal() + 1e-4).sqrt()).relu().mean()
        rest = covariance - covariance.diagonal().diag()
        loss = loss + (rest**2).sum() / z.shape[1]
    return loss


@pytest.mark.parametrize(
    ("make", "loss_of"),
    [
        (lambda: barlow_twins(redundancy_weight=0.1), barlow_twins_loss),
        (lambda: vicreg(**PAPER), vicreg_loss),
    ],
    ids=["barlow_twins", "vicreg"],
)
def test_two_steps_are_those_of_the_formulas(make, loss_of):
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(make(), keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    start = plain.copies(online)
    for step in range(2):  # the views pass apart, with batch statistics of their own
        z = [online(plain.as_torch(view[8 * step : 8 * step + 8])) for view in views()]
        plain.sgd_step(loss_of(*z), [online], RATE)
    plain.assert_moved(online, start)
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_two_steps_of_mmcr(momentum):
    torch = pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    # The target starts as a copy, whose repeated views have no unique gradient of their norm.
    weight = 0.1 if momentum is None else 0.0
    method = mmcr(momentum=momentum, compression_weight=weight)
    method = compiled(method, keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    target = plain.Double(method.encoder, method.projector)
    start = plain.copies(online)
    for step in range(2):  # the views pass together
        both = torch.cat([plain.as_torch(view[8 * step : 8 * step + 8]) for view in views()])
        z = [plain.unit(online(both)).reshape(2, 8, -1)]
        if momentum is not None:
            z.append(plain.unit(target(both)).detach().reshape(2, 8, -1))
        z = torch.cat(z).transpose(0, 1)  # (8, 2 or 4, d)
        inner = torch.linalg.svdvals(z).sum(1).mean()
        loss = weight * inner - torch.linalg.svdvals(z.mean(1)).sum()
        plain.sgd_step(loss, [online], RATE)
        if momentum is not None:
            target.follow(online, momentum)
    plain.assert_moved(online, start)
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    if momentum is not None:
        plain.assert_same(target, method.target_encoder, method.target_projector)


def test_no_gradient_reaches_the_target_of_mmcr():
    method = mmcr()
    targets = [target for _, target in method.momentum_pair.variables]
    for gradient in gradients_of(method, views(8), targets):
        assert (gradient == 0).all()
    kernel = targets[0]
    value = ops.convert_to_numpy(kernel)
    other = value + np.random.default_rng(0).normal(size=value.shape).astype("float32")
    same, moved = (value_with(method, views(8), kernel, v) for v in (value, other))
    assert abs(same - moved) > 1e-3


def test_more_views_of_mmcr_are_drawn():
    x, _ = images(8)
    method = compiled(mmcr(num_views=4, momentum=None))
    logs = method.fit(x, batch_size=8, verbose=0).history
    assert 0 < logs["centroid_length"][0] <= 1
    with pytest.raises(ValueError, match="Expected 4 views"):
        method.fit(views(8), batch_size=8, verbose=0)


def test_logs_are_the_terms():
    method = compiled(vicreg(**PAPER))
    logs = {k: v[0] for k, v in method.fit(views(8), batch_size=8, verbose=0).history.items()}
    expected = 25 * logs["invariance"] + 25 * logs["variance"] + logs["covariance"]
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-4)
    method = compiled(barlow_twins(redundancy_weight=0.5))  # eight dimensions
    logs = {k: v[0] for k, v in method.fit(views(8), batch_size=8, verbose=0).history.items()}
    expected = 8 * logs["invariance"] + 0.5 * 56 * logs["redundancy"]
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-4)


@pytest.mark.parametrize("make", [barlow_twins, vicreg, mmcr])
def test_sample_weights_are_refused(make):
    x, _ = images(8)
    with pytest.raises(ValueError, match="statistic of the whole batch"):
        compiled(make()).fit(x, sample_weight=np.ones(8), batch_size=8, verbose=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: barlow_twins(redundancy_weight=-1.0), "`redundancy_weight` of at least 0"),
        (lambda: vicreg(variance_weight=-1.0), "`variance_weight`"),
        (lambda: mmcr(compression_weight=-1.0), "`compression_weight`"),
        (lambda: mmcr(momentum=2.0), "momentum=2"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
