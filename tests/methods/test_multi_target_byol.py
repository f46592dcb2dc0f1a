"""Several targets: each at its own speed, all predicted."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.audit import gradients_of
from tests.methods.noise import NoiseViews
from tests.methods.parts import (
    byol,
    compiled,
    images,
    multi_target_byol,
    tiny_byol_mlp,
    tiny_encoder,
    tiny_predictor,
)

RATE, MOMENTA = 0.5, (0.9, 0.5)


def views(num=16, count=2):
    x, _ = images(num)
    return (x, x[:, ::-1].copy(), x[:, :, ::-1].copy())[:count]


def three_views(**kwargs):
    kwargs = {"momenta": MOMENTA, "num_views": 3, **kwargs}
    return kc.MultiTargetBYOL(tiny_encoder(), None, tiny_byol_mlp, **kwargs)


def test_one_target_and_two_views_are_byol():
    single, several = byol(), multi_target_byol(momenta=(0.9,))
    for ours, theirs in zip(several.encoder.weights, single.encoder.weights, strict=True):
        ours.assign(ops.convert_to_numpy(theirs))
    for ours, theirs in (
        (several.projector, single.projector),
        (several.predictors[0], single.predictor),
        (several.targets[0][0], single.target_encoder),
        (several.targets[0][1], single.target_projector),
    ):
        ours.set_weights(theirs.get_weights())
    losses = [
        compiled(method).fit(views(), batch_size=8, shuffle=False, epochs=2, verbose=0).history
        for method in (single, several)
    ]
    np.testing.assert_allclose(losses[0]["loss"], losses[1]["loss"], rtol=1e-5)


@pytest.mark.parametrize("predictor", [tiny_predictor, [tiny_predictor, tiny_predictor]])
def test_two_steps_are_those_of_the_formulas(predictor):
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(three_views(predictor=predictor), keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    predictors = [plain.Double(each) for each in method.predictors]
    targets = [plain.Double(*target) for target in method.targets]
    start = plain.copies(online)
    for step in range(2):
        batch = [plain.as_torch(view[8 * step : 8 * step + 8]) for view in views(count=3)]
        z = [online(view) for view in batch]
        loss = 0.0
        for m, target in enumerate(targets):
            t = [plain.unit(target(view)).detach() for view in batch]
            for v in range(3):
                others = plain.unit(sum(t[u] for u in range(3) if u != v) / 2)
                p = plain.unit(predictors[m % len(predictors)](z[v]))
                loss = loss + (2 - 2 * (p * others).sum(1)).mean()
        loss = loss * (2 / 3) / len(targets)  # two directions' worth of three
        plain.sgd_step(loss, [online, *predictors], RATE)
        for target, momentum in zip(targets, MOMENTA, strict=True):
            target.follow(online, momentum)
    plain.assert_moved(online, start)
    method.fit(views(count=3), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    for double, each in zip(predictors, method.predictors, strict=True):
        plain.assert_same(double, each)
    for double, target in zip(targets, method.targets, strict=True):
        plain.assert_same(double, *target)


def test_no_gradient_reaches_a_target():
    method = three_views(predictor=tiny_predictor)
    targets = [target for _, target in method.momentum_pair.variables]
    for target in targets:
        target.trainable = True  # an audit may look where the optimizer may not
    gradients = gradients_of(method, views(8, 3), [*targets, method.encoder.weights[0]])
    assert all((gradient == 0).all() for gradient in gradients[:-1])
    assert (gradients[-1] != 0).any()


def test_momenta_may_be_schedules_and_predictors_one_a_target():
    momenta = (kc.optimizers.CosineMomentum(0.5, steps=4), 0.9)
    method = multi_target_byol(momenta=momenta, predictor=[tiny_predictor, tiny_predictor])
    again = kc.MultiTargetBYOL.from_config(method.get_config())
    assert len(again.predictors) == 2
    assert again.momentum_pair.pairs[0].momentum.start == 0.5
    logs = compiled(again).fit(views(8), batch_size=8, epochs=2, verbose=0).history["momentum"]
    np.testing.assert_allclose(logs, [0.7, (0.9 + 0.573223) / 2], rtol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [{"momenta": ()}, {"num_views": 1}, {"predictor": [tiny_predictor]}],
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"at least one target.*Received"):
        multi_target_byol(**arguments)


def test_an_augmentation_of_two_views_is_drawn_until_there_are_enough():
    method = kc.MultiTargetBYOL(tiny_encoder(), NoiseViews(), num_views=3)
    assert len(method.make_views(images(4)[0])) == 3
