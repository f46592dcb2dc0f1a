"""CLOP and CLSP beside SimCLR and MoCo: the term, its gradient, its data, its errors."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.gradients import value_and_gradients
from tests.methods.parts import (
    METHODS,
    byol,
    compiled,
    directclr,
    images,
    moco,
    moco_symmetric,
    simclr,
)

DIMS = {simclr: 128, moco: 8, moco_symmetric: 8}


def views(num=8):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def unit(z):
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def projected(method, *batches):
    """Projections in train mode, of batches that pass together."""
    rows = method.projector(method.encoder(np.concatenate(batches), training=True), training=True)
    return np.split(ops.convert_to_numpy(ops.stop_gradient(rows)), len(batches))


def first_logs(method, x, y=None, **kwargs):
    options = {"batch_size": 8, "shuffle": False, "verbose": 0, **kwargs}
    history = compiled(method, keras.optimizers.SGD(0.0)).fit(x, y, **options).history
    return {name: values[0] for name, values in history.items()}


# -- CLOP ---------------------------------------------------------------------------------------


def test_prototypes_are_orthonormal_and_stay():
    addition = kc.CLOP(5, dim=8, seed=3)
    before = ops.convert_to_numpy(addition.prototypes).copy()
    np.testing.assert_allclose(before @ before.T, np.eye(5), atol=1e-5)
    assert (before != ops.convert_to_numpy(kc.CLOP(5, dim=8, seed=4).prototypes)).any()
    method = compiled(moco(additions=[addition]))
    method.fit(views(), np.arange(8) % 5, batch_size=8, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(addition.prototypes), before)


@pytest.mark.parametrize("make", [simclr, moco])
@pytest.mark.parametrize("labels", [[0, 1, 2, 3] * 2, [0, -1, -1, 3, -1, 1, -1, -1]])
def test_the_term_is_the_mean_over_the_labelled(make, labels):
    labels = np.array(labels)
    addition = kc.CLOP(4, dim=DIMS[make], weight=0.5)
    method = make(additions=[addition])
    z = projected(method, *views()) if make is simclr else projected(method, views()[0])
    own = ops.convert_to_numpy(addition.prototypes)[labels]
    costs = np.mean([1 - (unit(each) * own).sum(axis=1) for each in z], axis=0)
    expected = costs[labels >= 0].mean()
    logs = first_logs(method, views(), labels)
    np.testing.assert_allclose(logs["clop_loss"], expected, rtol=1e-3, atol=1e-6)
    plain = first_logs(make(), views())
    np.testing.assert_allclose(logs["loss"], plain["loss"] + 0.5 * expected, rtol=1e-3)


def test_a_batch_without_labels_adds_nothing():
    z = np.ones((4, 8), "float32")
    term = kc.CLOP(4, dim=8).term([z], None, np.full(4, -1, "int32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(term), 0.0)


def test_it_draws_classes_to_their_prototypes():
    x, y = images()
    addition = kc.CLOP(4, dim=8, weight=2.0)
    method = compiled(moco(additions=[addition]), keras.optimizers.Adam(0.01))
    history = method.fit(x, y, batch_size=16, epochs=15, verbose=0).history["clop_loss"]
    assert history[-1] < 0.5 < history[0]


@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"clip", "clop", "directclr", "siglip"}))
def test_it_joins_every_method_with_a_projector(name):
    dim = METHODS[name]().projector.output_shape[-1]
    method = METHODS[name](additions=[kc.CLOP(4, dim=dim)])
    x, y = images(16)
    logs = compiled(method, run_eagerly=True).fit(x, y, batch_size=16, verbose=0).history
    assert 0 < logs["clop_loss"][0] < 2


def test_its_labels_are_checked():
    method = simclr(additions=[kc.CLOP(4)])
    with pytest.raises(ValueError, match=r"Expected labels for CLOP\. Received: no labels"):
        compiled(method).fit(views(), batch_size=8, verbose=0)
    with pytest.raises(ValueError, match=r"labels in 0\.\.3"):
        compiled(method).fit(views(), np.arange(8), batch_size=8, verbose=0)


def test_clop_refuses_what_cannot_be():
    with pytest.raises(ValueError, match=r"dimension of the projections \(4\).*num_classes=5"):
        kc.CLOP(5, dim=4)
    with pytest.raises(ValueError, match=r"dimension 128. Received: 8.*CLOP\(4, dim=8\)"):
        compiled(moco(additions=[kc.CLOP(4)])).fit(views(), np.arange(8) % 4, verbose=0)
    with pytest.raises(ValueError, match="`weight` of at least 0"):
        kc.CLOP(4, weight=-1.0)
    with pytest.raises(ValueError, match=r"with a projector.*Received: DirectCLR"):
        compiled(directclr(additions=[kc.CLOP(4)])).fit(views(), np.arange(8) % 4, verbose=0)


# -- CLSP ---------------------------------------------------------------------------------------


def positives():
    return np.clip(images(8)[0] + 0.2 * np.random.default_rng(5).random((8, 4, 4, 3)), 0, 1)


def ready():
    return {"inputs": views(), "positive": positives().astype("float32")}


def test_simclr_sees_the_positives_in_the_same_batch():
    method = simclr(additions=[kc.CLSP(weight=0.5)])
    z1, z2, z3 = (unit(z) for z in projected(method, *views(), ready()["positive"]))
    distance = ((z1 - z3) ** 2).sum(axis=1).mean()
    stacked = np.concatenate([z1, z2])
    logits = stacked @ stacked.T / 0.1
    np.fill_diagonal(logits, -np.inf)
    positive = (z1 * z2).sum(axis=1) / 0.1
    nt_xent = np.log(np.exp(logits).sum(axis=1)).mean() - positive.mean()
    logs = first_logs(method, ready())
    np.testing.assert_allclose(logs["clsp_loss"], distance, rtol=1e-3)
    np.testing.assert_allclose(logs["loss"], nt_xent + 0.5 * distance, rtol=1e-3)


@pytest.mark.parametrize("make", [moco, moco_symmetric])
def test_moco_compares_queries(make):
    method = make(additions=[kc.CLSP()], **({"shuffle_splits": 1} if make is not moco else {}))
    (query,), (synthetic,) = projected(method, views()[0]), projected(method, ready()["positive"])
    expected = ((unit(query) - unit(synthetic)) ** 2).sum(axis=1).mean()
    logs = first_logs(method, ready())
    np.testing.assert_allclose(logs["clsp_loss"], expected, rtol=1e-3)


def test_gradients_reach_both_sides():
    z = {name: np.random.default_rng(i).normal(size=(4, 3)) for i, name in enumerate("ab")}
    z = {name: value.astype("float32") for name, value in z.items()}
    _, gradients = value_and_gradients(
        lambda x: ops.sum(kc.CLSP().term([x["a"]], x["b"], None)), z, ["a", "b"]
    )
    assert all((np.abs(gradient).sum(axis=1) > 1e-4).all() for gradient in gradients.values())


@pytest.mark.parametrize("make", [simclr, moco])
def test_a_bank_trains_it(make):
    x, y = images(16)
    bank = np.repeat(x[:, None], 3, axis=1)
    method = compiled(make(additions=[kc.CLSP()]))
    batches = kc.data.with_positives(x, bank, batch_size=8)
    history = method.fit(batches, epochs=8, verbose=0).history["clsp_loss"]
    assert history[-1] < history[0]
    both = compiled(make(additions=[kc.CLSP(), kc.CLOP(4, dim=DIMS[make])]))
    logs = both.fit(kc.data.with_positives(x, bank, y, batch_size=8), verbose=0).history
    assert {"clsp_loss", "clop_loss"} <= set(logs)


def test_missing_positives_are_told():
    for x in (views(), {"inputs": views(), "index": np.arange(8)}, images(8)[0]):
        method = compiled(simclr(additions=[kc.CLSP()]))
        with pytest.raises(ValueError, match=r"positive of each sample for CLSP.*with_positives"):
            method.fit(x, verbose=0)


def test_positives_that_nothing_takes_are_told():
    with pytest.raises(ValueError, match=r"nothing in this SimCLR takes them.*CLSP\(\)"):
        compiled(simclr()).fit(ready(), verbose=0)
    with pytest.raises(ValueError, match=r"'inputs', and 'index' or 'positive'.*negative"):
        compiled(simclr()).fit({"inputs": views(), "negative": views()[0]}, verbose=0)
    with pytest.raises(ValueError, match=r"\(SimCLR, MoCo\).*Received: BYOL"):
        byol(additions=[kc.CLSP()])


def test_sample_weights_weigh_terms_too():
    weights = np.array([8.0] + [0.0] * 7)
    method = simclr(additions=[kc.CLSP()])
    z1, _, z3 = (unit(z) for z in projected(method, *views(), ready()["positive"]))
    logs = first_logs(method, ready(), sample_weight=weights)
    np.testing.assert_allclose(logs["clsp_loss"], ((z1 - z3) ** 2).sum(axis=1)[0], rtol=1e-3)


def test_saved_and_loaded(tmp_path):
    method = compiled(moco(additions=[kc.CLSP(0.5), kc.CLOP(4, dim=8, seed=2)]))
    method.fit(ready(), np.arange(8) % 4, batch_size=8, verbose=0)
    method.save(tmp_path / "method.keras")
    again = keras.saving.load_model(tmp_path / "method.keras")
    clsp, clop = again.additions
    assert (clsp.weight, clop.seed) == (0.5, 2)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(clop.prototypes), ops.convert_to_numpy(method.additions[1].prototypes)
    )
    logs = again.fit(ready(), np.arange(8) % 4, batch_size=8, verbose=0).history
    assert np.isfinite(logs["loss"][0])
