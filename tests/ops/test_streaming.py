"""Sums over tiles against the dense matrix: values and every gradient, however they are cut."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_contrastive import losses
from keras_contrastive.ops import (
    Detection,
    l2_normalize,
    masked_count,
    masked_logits,
    masked_logsumexp,
    masked_mean,
    masked_softplus,
    set_tile_size,
    tiles,
)
from keras_contrastive.ops.contrast import all_pairs, nearest
from tests.gradients import assert_gradients_agree as agree
from tests.gradients import compiled, gradients_in_a_step, value_and_gradients

N, M, D = 11, 10, 3
LABELS = np.array([0, 1, 2, 0, 1, 0, 2, 2, 3, 0, 1])  # nothing but itself is of class 3
RNG = np.random.default_rng(0)
INPUTS = {
    "queries": RNG.normal(size=(N, D)),
    "keys": RNG.normal(size=(M, D)),
    "temperature": RNG.uniform(0.2, 2.0, size=(N, 1)),
    "offset": RNG.normal(size=N),
}
INPUTS = {name: value.astype("float32") for name, value in INPUTS.items()}
OF_ROWS = RNG.normal(size=N).astype("float32")  # another upstream gradient for each row


def same_label(row, column):
    codes = ops.convert_to_tensor(LABELS)
    same = ops.equal(ops.take(codes, row), ops.take(codes, column))
    return ops.logical_and(same, ops.not_equal(row, column))


UNKNOWN = dict.fromkeys(INPUTS, (None,))  # sizes
UNKNOWN |= {"queries": (None, D), "keys": (None, D), "temperature": (None, 1)}
MASKS = {
    "all": None,
    "others": ops.not_equal,
    "labels": same_label,
    "few rows": lambda row, column: ops.equal(row % 3, 1),  # of one column only
}
TILES = [1, 4, 1024]


@pytest.fixture(autouse=True)
def _tiles(monkeypatch):
    monkeypatch.setattr(tiles, "_tile_size", 1024)


def dense_logits(x):
    return ops.matmul(x["queries"], ops.transpose(x["keys"])) / x["temperature"]


def matrix_of(keep):
    rows, columns = ops.arange(N)[:, None], ops.arange(M)[None, :]
    return ops.logical_and((keep or all_pairs)(rows, columns), all_pairs(rows, columns))


def dense_mean(x, kept):
    number = ops.sum(ops.cast(kept, "float32"), axis=1)
    return ops.sum(ops.where(kept, dense_logits(x), 0.0), axis=1) / ops.maximum(number, 1.0)


SUMS = {
    "log_sum_exp": (
        lambda x, keep: masked_logsumexp(x["queries"], x["keys"], keep, x["temperature"]),
        lambda x, kept: ops.logsumexp(ops.where(kept, dense_logits(x), -1e9), axis=1),
    ),
    "mean": (
        lambda x, keep: masked_mean(x["queries"], x["keys"], keep or all_pairs, x["temperature"]),
        dense_mean,
    ),
    "softplus": (
        lambda x, keep: masked_softplus(
            x["queries"], x["keys"], keep, x["temperature"], x["offset"]
        ),
        lambda x, kept: ops.sum(
            ops.where(kept, ops.softplus(dense_logits(x) + x["offset"][:, None]), 0.0), axis=1
        ),
    ),
}


def weighted(sums):
    some = ops.where(sums < -1e8, 0.0, sums)  # rows without pairs, whose -1e9 hides the rest
    return ops.sum(some * ops.convert_to_tensor(OF_ROWS))


@pytest.mark.parametrize("size", TILES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", SUMS)
def test_tiles_are_the_matrix(name, mask, size):
    tiled, dense = SUMS[name]
    set_tile_size(size)
    ours = value_and_gradients(lambda x: weighted(tiled(x, MASKS[mask])), INPUTS, [*INPUTS])
    kept = matrix_of(MASKS[mask])
    agree(ours, value_and_gradients(lambda x: weighted(dense(x, kept)), INPUTS, [*INPUTS]))


@pytest.mark.parametrize("form", ["graph", "xla", "unknown sizes"])
@pytest.mark.parametrize("size", [4, 1024])
def test_compiled_steps_agree(form, size):
    """All sums at once, under a mask that is found from the embeddings within the step."""
    if form != "graph" and keras.backend.backend() != "tensorflow":
        pytest.skip("a matter of TensorFlow")

    def detected(x):
        cosines = ops.matmul(l2_normalize(x["queries"]), ops.transpose(l2_normalize(x["keys"])))
        flat, width = ops.reshape(cosines < 0.3, (-1,)), ops.shape(cosines)[1]
        return lambda row, column: ops.take(flat, row * width + column)

    def tiled(x):
        keep = detected(x)
        return sum(weighted(of(x, keep)) for of, _ in SUMS.values())

    def dense(x):
        rows, columns = ops.arange(N)[:, None], ops.arange(M)[None, :]
        return sum(weighted(of(x, detected(x)(rows, columns))) for _, of in SUMS.values())

    set_tile_size(size)
    ours = gradients_in_a_step(tiled, INPUTS, UNKNOWN, form)
    agree(ours, value_and_gradients(dense, INPUTS, [*INPUTS]))


@pytest.mark.parametrize("size", [4, 1024])
def test_a_compiled_function_has_gradients(size):
    def tiled(x):
        return sum(weighted(of(x, ops.not_equal)) for of, _ in SUMS.values())

    set_tile_size(size)
    ours = value_and_gradients(compiled(tiled, UNKNOWN, "graph"), INPUTS, [*INPUTS])
    agree(ours, value_and_gradients(tiled, INPUTS, [*INPUTS]))


@pytest.mark.parametrize("size", [4, 1024])
def test_counts_and_neighbours_are_those_of_the_matrix(size):
    set_tile_size(size)
    for keep in MASKS.values():
        kept = ops.convert_to_numpy(matrix_of(keep))
        logits = np.where(kept, INPUTS["queries"] @ INPUTS["keys"].T, -1e9)
        value, index = nearest(INPUTS["queries"], INPUTS["keys"], keep)
        np.testing.assert_allclose(ops.convert_to_numpy(value), logits.max(axis=1), rtol=1e-5)
        assert ops.convert_to_numpy(index).tolist() == logits.argmax(axis=1).tolist()
        count = masked_count(INPUTS["queries"], INPUTS["keys"], keep or all_pairs)
        assert ops.convert_to_numpy(count).tolist() == kept.sum(axis=1).tolist()


def test_the_first_of_equals_is_the_nearest():
    set_tile_size(2)
    z = np.ones((5, 2), "float32")
    assert ops.convert_to_numpy(nearest(z, z, ops.not_equal)[1]).tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("size", [3, 4])
def test_no_tile_is_larger_than_set(size):
    """Nor is a mask asked about what is not there."""
    set_tile_size(size)
    asked = []

    def keep(row, column):
        asked.append(int(np.prod(row.shape)) * int(np.prod(column.shape)))
        if keras.backend.backend() == "torch":
            assert int(row.max()) < N
            assert int(column.max()) < M
        return ops.not_equal(row, column)

    for tiled, _ in SUMS.values():
        value_and_gradients(lambda x, f=tiled: weighted(f(x, keep)), INPUTS, [*INPUTS])
    assert 0 < max(asked) <= size**2


def test_a_few_tiles_are_held_whole():
    """So each pair is asked about once, rather than again for the gradient."""
    asked = []

    def keep(row, column):
        asked.append((*row.shape, *column.shape))
        return ops.not_equal(row, column)

    set_tile_size(6)  # 110 pairs are fewer than four tiles of 36
    tiled = SUMS["log_sum_exp"][0]
    value_and_gradients(lambda x: weighted(tiled(x, keep)), INPUTS, ["queries", "keys"])
    assert asked == [(N, 1, 1, M)]


def test_constant_keys_have_no_backward_pass():
    set_tile_size(4)
    asked, counts = [], []

    def keep(row, column):
        asked.append(row)
        return ops.not_equal(row, column)

    for wanted in (["queries"], ["queries", "keys"]):
        asked.clear()
        value_and_gradients(lambda x: weighted(SUMS["softplus"][0](x, keep)), INPUTS, wanted)
        counts.append(len(asked))
    assert 0 < counts[0] < counts[1]


def test_a_query_without_pairs_gets_no_gradient():
    """Nor does it disturb the keys."""
    for size in (4, 1024):
        set_tile_size(size)
        for tiled, _ in SUMS.values():
            _, gradients = value_and_gradients(
                lambda x, f=tiled: ops.sum(f(x, lambda row, column: ops.not_equal(row, row))),
                INPUTS,
                ["queries", "keys"],
            )
            assert all((gradient == 0).all() for gradient in gradients.values())


@pytest.mark.parametrize("size", [4, 1024])
def test_huge_and_equal_logits_are_finite(size):
    set_tile_size(size)
    for queries in (1e4 * INPUTS["queries"], np.ones((N, D), "float32")):
        inputs = {**INPUTS, "queries": queries}
        for tiled, _ in SUMS.values():
            value, gradients = value_and_gradients(
                lambda x, f=tiled: weighted(f(x, ops.not_equal)), inputs, [*INPUTS]
            )
            assert np.isfinite(value)
            assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    num_queries=st.integers(1, 6),
    num_keys=st.integers(1, 6),
    size=st.integers(1, 4),
    dtype=st.sampled_from(["float32", "bfloat16", "float16"]),
    temperature=st.floats(0.01, 10.0),
    bits=st.integers(0, 2**36 - 1),
)
def test_any_shape_dtype_mask_and_temperature(
    num_queries, num_keys, size, dtype, temperature, bits
):
    """In float64, by NumPy."""
    set_tile_size(size)
    rng = np.random.default_rng(bits)
    queries, keys = (ops.cast(rng.normal(size=(num, 2)), dtype) for num in (num_queries, num_keys))
    kept = np.array([bits >> place & 1 for place in range(num_queries * num_keys)], bool)

    def keep(row, column):
        return ops.take(ops.convert_to_tensor(kept), row * num_keys + column)

    exact = [
        ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64") for x in (queries, keys)
    ]
    logits = exact[0] @ exact[1].T / temperature
    table = kept.reshape(num_queries, num_keys)
    some = table.any(axis=1)
    sums = masked_logsumexp(queries, keys, keep, temperature)
    assert keras.backend.standardize_dtype(sums.dtype) == "float32"
    peak = np.where(table, logits, -np.inf).max(axis=1, where=table, initial=-1e9)
    expected = peak + np.log(
        np.sum(table * np.exp(np.where(table, logits - peak[:, None], 0)), 1),
        where=some,
        out=np.zeros(num_queries),
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(sums)[some], expected[some], rtol=1e-5, atol=1e-5
    )
    assert (ops.convert_to_numpy(sums)[~some] < -9e8).all()
    twin = ops.convert_to_numpy(masked_softplus(queries, keys, keep, temperature, 0.5))
    expected = np.sum(table * np.logaddexp(0, 0.5 + logits), axis=1)
    np.testing.assert_allclose(twin, expected, rtol=1e-5, atol=1e-5)


Z1, Z2 = RNG.normal(size=(2, 6, 5)).astype("float32")
CLASSES = np.array([0, 1, 0, 2, 1, 0])
FALSE = Detection(lambda row, column: ops.equal((row + column) % 5, 0), rescale=True)
ATTRACTED = Detection(FALSE.is_false, attract=True)
LOSSES = {
    "NTXent": lambda a, b: losses.NTXent(0.2).call(a, b),
    "NTXent, false negatives": lambda a, b: losses.NTXent(0.2).call(a, b, detection=FALSE),
    "NTXent, attracted": lambda a, b: losses.NTXent(0.2).call(a, b, detection=ATTRACTED),
    "InfoNCE": lambda a, b: losses.InfoNCE(0.2, symmetric=True).call(a, b),
    "InfoNCE, queue": lambda a, b: losses.InfoNCE(0.2, in_batch=True).call((a, b[:4]), b),
    "DCLW": lambda a, b: losses.DCLW(0.2).call(a, b),
    "HCL": lambda a, b: losses.HCL(0.5).call(a, b),
    "SigLIP": lambda a, b: losses.SigLIP(0.2, -1.0).call(a, b),
    "SupCon": lambda a, b: losses.SupCon(0.2).call(CLASSES, ops.stack([a, b], axis=1)),
    "Epsilon": lambda a, b: losses.EpsilonSupInfoNCE(0.2).call(CLASSES, ops.stack([a, b], axis=1)),
    "Uniformity": lambda a, b: losses.Uniformity().call(a, b),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_do_not_depend_on_the_tiles(name):
    def run():
        function = lambda x: ops.sum(LOSSES[name](x["z1"], x["z2"]))  # noqa: E731
        return value_and_gradients(function, {"z1": Z1, "z2": Z2}, ["z1", "z2"])

    whole = run()
    set_tile_size(2)
    agree(run(), whole)


def test_a_link_takes_the_matrix():
    def squared(similarity):
        return 2.0 * ops.square(similarity)

    logits = 2.0 * np.square(INPUTS["queries"] @ INPUTS["keys"].T)
    np.testing.assert_allclose(
        ops.convert_to_numpy(masked_softplus(INPUTS["queries"], INPUTS["keys"], None, squared)),
        np.log1p(np.exp(logits)).sum(axis=1),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(masked_logits(INPUTS["queries"], INPUTS["keys"], None, squared)),
        logits,
        rtol=1e-4,
    )


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match=r"at least 1. Received: size=0"):
        set_tile_size(0)
    with pytest.raises(ValueError, match=r"one a query, \(N, 1\). Received: shape \(1, 10\)"):
        masked_logsumexp(INPUTS["queries"], INPUTS["keys"], None, np.ones((1, M), "float32"))
