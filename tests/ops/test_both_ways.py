"""Rows and columns of one matrix of logits against the dense one, however it is cut."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.layers.temperature import LearnedTemperature
from keras_contrastive.ops import set_tile_size, tiles
from keras_contrastive.ops.both_ways import ANY, SMALL, log_sum_exp_among
from keras_contrastive.ops.contrast import (
    all_pairs,
    masked_logsumexp_among,
    masked_logsumexp_both_ways,
)
from tests.gradients import assert_gradients_agree as agree
from tests.gradients import gradients_in_a_step, value_and_gradients

N, M, D = 11, 7, 3
LABELS = np.array([0, 1, 2, 0, 1, 0, 2, 2, 3, 0, 1])  # nothing but itself is of class 3
RNG = np.random.default_rng(0)
INPUTS = {
    "x": RNG.normal(size=(N, D)).astype("float32"),
    "y": RNG.normal(size=(M, D)).astype("float32"),
    "temperature": np.array(0.4, "float32"),
}
UNKNOWN = {"x": (None, D), "y": (None, D), "temperature": ()}  # sizes
OF_ROWS, OF_COLUMNS = (RNG.normal(size=size).astype("float32") for size in (N, M))


def same_label(row, column):
    codes = ops.convert_to_tensor(LABELS)
    same = ops.equal(ops.take(codes, row), ops.take(codes, column))
    return ops.logical_and(same, ops.not_equal(row, column))


MASKS = {
    "all": all_pairs,
    "others": ops.not_equal,
    "labels": same_label,
    "corner": lambda row, column: ops.logical_and(row > 5, column > 5),
}
TILES = [1, 3, 4, 5, N, 1024]  # 11, 5, 3, 3, 1 tiles of z; 11, 4, 3, 3, 1 of x and y


@pytest.fixture(autouse=True)
def _tiles(monkeypatch):
    monkeypatch.setattr(tiles, "_tile_size", 1024)


def weighted(sums, weights):
    some = ops.where(sums < -1e8, 0.0, sums)  # rows without pairs, whose -1e9 hides the rest
    return ops.sum(some * ops.convert_to_tensor(weights))


def among(x, keep, longest=None):
    return weighted(masked_logsumexp_among(x["x"], keep, x["temperature"], longest), OF_ROWS)


def both_ways(x, keep, longest=None):
    rows, columns = masked_logsumexp_both_ways(x["x"], x["y"], keep, x["temperature"], longest)
    return weighted(rows, OF_ROWS) + weighted(columns, OF_COLUMNS)


def dense_logits(x, y, keep, temperature):
    rows, columns = ops.arange(x.shape[0])[:, None], ops.arange(y.shape[0])[None, :]
    return ops.where(keep(rows, columns), ops.matmul(x, ops.transpose(y)) / temperature, -1e9)


def dense_among(x, keep):
    logits = dense_logits(x["x"], x["x"], keep, x["temperature"])
    return weighted(ops.logsumexp(logits, axis=1), OF_ROWS)


def dense_both_ways(x, keep):
    logits = dense_logits(x["x"], x["y"], keep, x["temperature"])
    rows, columns = (ops.logsumexp(logits, axis=axis) for axis in (1, 0))
    return weighted(rows, OF_ROWS) + weighted(columns, OF_COLUMNS)


def of_small(function, **known):
    """With a temperature that is a number, and with lengths that are known if these are given."""
    return lambda x, keep: function({**x, "temperature": 0.4}, keep, **known)


FORMS = {
    "among": (among, dense_among),
    "both ways": (both_ways, dense_both_ways),
    "among, small": (of_small(among, longest=3.9), of_small(dense_among)),
    "both ways, small": (of_small(both_ways, longest=3.9), of_small(dense_both_ways)),
}


@pytest.mark.parametrize("size", TILES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("form", FORMS)
def test_tiles_are_the_matrix(form, mask, size):
    ours, dense = FORMS[form]
    expected = value_and_gradients(lambda x: dense(x, MASKS[mask]), INPUTS, [*INPUTS])
    set_tile_size(size)
    agree(value_and_gradients(lambda x: ours(x, MASKS[mask]), INPUTS, [*INPUTS]), expected)


def test_without_a_mask_every_pair_counts():
    for size in (4, 1024):
        set_tile_size(size)
        for ours, dense in FORMS.values():
            expected = value_and_gradients(lambda x, f=dense: f(x, all_pairs), INPUTS, [*INPUTS])
            agree(value_and_gradients(lambda x, f=ours: f(x, None), INPUTS, [*INPUTS]), expected)


@pytest.mark.parametrize("form", ["graph", "xla", "unknown sizes"])
@pytest.mark.parametrize("size", [4, 1024])
def test_compiled_steps_agree(form, size):
    if form != "graph" and keras.backend.backend() != "tensorflow":
        pytest.skip("a matter of TensorFlow")
    set_tile_size(size)
    ours, dense = (
        lambda x, way=way: sum(form[way](x, same_label) for form in FORMS.values())
        for way in (0, 1)
    )
    agree(
        gradients_in_a_step(ours, INPUTS, UNKNOWN, form),
        value_and_gradients(dense, INPUTS, [*INPUTS]),
    )


@pytest.mark.parametrize("size", [4, 1024])
def test_huge_logits_are_exact(size):
    """Each row and column has a peak of its own: a common one would leave the others nothing."""
    set_tile_size(size)
    x, y = (1e2 * INPUTS[name].astype("float64") for name in ("x", "y"))
    assert np.ptp((x @ y.T).max(axis=1)) > 1e4
    rows, columns = masked_logsumexp_both_ways(x, y)
    for sums, axis in ((rows, 1), (columns, 0)):
        expected = np.logaddexp.reduce(x @ y.T, axis=axis)
        np.testing.assert_allclose(ops.convert_to_numpy(sums), expected, rtol=1e-5)
    others = np.where(np.eye(N), -np.inf, x @ x.T)
    found = masked_logsumexp_among(x, ops.not_equal)
    expected = np.logaddexp.reduce(others, axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5, atol=1e-2)
    inputs = {**INPUTS, "x": x.astype("float32"), "y": y.astype("float32")}
    for ours, dense in list(FORMS.values())[:2]:
        _, gradients = value_and_gradients(lambda x, f=ours: f(x, ops.not_equal), inputs, [*INPUTS])
        _, expected = value_and_gradients(lambda x, f=dense: f(x, ops.not_equal), inputs, [*INPUTS])
        for name in ("x", "y"):
            np.testing.assert_allclose(gradients[name], expected[name], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("size", [4, 1024])
def test_rows_without_pairs_get_no_gradient(size):
    set_tile_size(size)
    for ours, _ in FORMS.values():
        _, gradients = value_and_gradients(
            lambda x, f=ours: f(x, lambda row, column: row + column < 0), INPUTS, [*INPUTS]
        )
        assert all((gradient == 0).all() for gradient in gradients.values())


@pytest.mark.parametrize("size", [4, 1024])
def test_a_low_temperature_underflows_no_more_than_others(size):
    """Unit vectors whose logits are -100 to 100, a third of the rows with none above -90."""
    set_tile_size(size)
    z = np.concatenate([np.eye(2)[[0] * 4 + [1] * 3], -np.eye(2)[[0] * 4]])
    keep = lambda row, column: ops.greater(ops.abs(row - column), 5)  # noqa: E731
    rows = np.arange(N)
    kept = abs(rows[:, None] - rows) > 5
    for temperature in (0.01, 0.1):
        logits = np.where(kept, z @ z.T / temperature, -np.inf)
        some = kept.any(axis=1)
        expected = np.logaddexp.reduce(logits[some], axis=1)
        found = ops.convert_to_numpy(masked_logsumexp_among(z, keep, temperature, longest=1.0))
        np.testing.assert_allclose(found[some], expected, rtol=1e-5, atol=1e-5)
        assert (found[~some] < -9e8).all()


def test_half_the_tiles_are_made():
    """And a mask is never asked about what is not there, or about more than a tile."""
    set_tile_size(3)
    asked = []

    def keep(row, column):
        asked.append((*row.shape, *column.shape))
        if keras.backend.backend() == "torch":
            assert int(row.max()) < N
            assert int(column.max()) < N
        return ops.not_equal(row, column)

    masked_logsumexp_among(INPUTS["x"], keep)
    assert set(asked) == {(3, 1, 1, 3)}
    if keras.backend.backend() == "torch":
        assert len(asked) == 15  # of 5 x 5


def test_a_temperature_for_each_row_goes_one_way():
    set_tile_size(4)
    temperature = np.linspace(0.2, 2.0, N, dtype="float32")[:, None]
    logits = np.where(np.eye(N), -np.inf, INPUTS["x"] @ INPUTS["x"].T / temperature)
    tensor = ops.convert_to_tensor(temperature)
    found = masked_logsumexp_among(INPUTS["x"], ops.not_equal, tensor)
    expected = np.logaddexp.reduce(logits, axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)


def test_float16_is_summed_in_float32():
    for size in (4, 1024):
        set_tile_size(size)
        half = [ops.cast(INPUTS[name], "float16") for name in ("x", "y")]
        sums = [*masked_logsumexp_both_ways(*half), masked_logsumexp_among(half[0])]
        assert {keras.backend.standardize_dtype(part.dtype) for part in sums} == {"float32"}


@pytest.mark.parametrize("size", [4, 1024])
def test_clip_is_info_nce_in_both_directions(size):
    set_tile_size(size)
    x, y = INPUTS["x"][:M], INPUTS["y"]
    for temperature in (0.2, LearnedTemperature(0.2)):
        one_way = losses.InfoNCE(temperature)
        expected = (one_way.call(x, y) + one_way.call(y, x)) / 2
        found = losses.InfoNCE(temperature, symmetric=True).call(x, y)
        np.testing.assert_allclose(
            ops.convert_to_numpy(ops.stop_gradient(found)),
            ops.convert_to_numpy(ops.stop_gradient(expected)),
            rtol=1e-5,
        )


@pytest.mark.parametrize("of", [ANY, SMALL], ids=["any", "small"])
@pytest.mark.parametrize("size", [4, 1024])
def test_what_is_not_a_number_shows(of, size):
    set_tile_size(size)
    z = np.ones((11, 3), "float32")
    z[4, 1] = np.nan

    def loss(inputs):
        return ops.sum(log_sum_exp_among(inputs["z"], ops.not_equal, of))

    value, gradients = value_and_gradients(loss, {"z": z}, ["z"])
    assert np.isnan(value)
    assert np.isnan(gradients["z"]).any()
