import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.optimizers import L2SGD, LARS, is_vector, warmup_cosine

GOLDEN = Path(__file__).parents[1] / "oracles" / "golden"

RATES = [0.0, 0.5, 1.0, 0.4, 0.1]  # changes at every step, and begins at zero as a warm-up does


@keras.saving.register_keras_serializable(package="tests")
class Rates(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return ops.take(ops.convert_to_tensor(RATES, "float32"), ops.cast(step, "int32"))

    def get_config(self):
        return {}


def problem(seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(4, 3), (3,), (2, 2, 3, 2)]  # as of a dense layer, a bias and a convolution
    weights = [rng.normal(size=shape).astype("float32") for shape in shapes]
    gradients = [[rng.normal(size=w.shape).astype("float32") for w in weights] for _ in RATES]
    return weights, gradients


def apply(optimizer, gradients, variables):
    if keras.backend.backend() != "jax":
        return optimizer.apply(gradients, variables)
    # As the JAX trainer does: `LossScaleOptimizer` leaks tracers otherwise.
    new = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], gradients, [v.value for v in variables]
    )
    for variable, value in zip([*variables, *optimizer.variables], [*new[0], *new[1]]):
        variable.assign(value)


def run(optimizer, weights, gradients):
    """The weights after each step: a list of steps, each a list of arrays."""
    variables = [
        keras.Variable(w, name=name) for w, name in zip(weights, ["kernel", "bias", "kernel2"])
    ]
    optimizer.build(variables)
    history = []
    for step in gradients:
        apply(optimizer, [ops.convert_to_tensor(g) for g in step], variables)
        history.append([np.asarray(v).copy() for v in variables])
    return history


def reference(
    weights,
    gradients,
    trust=None,
    decay=0.0,
    momentum=0.9,
    nesterov=False,
    inside=False,
    clip=False,
    excluded=lambda w: w.ndim <= 1,
):
    """The updates of the papers, one scalar statement after the other, in float64."""
    weights = [w.astype("float64") for w in weights]
    buffers = [np.zeros_like(w) for w in weights]
    history = []
    for rate, step in zip(RATES, gradients):
        for i, gradient in enumerate(step):
            w, g = weights[i], gradient.astype("float64")
            if not excluded(w):
                raw = np.linalg.norm(g)
                g = g + decay * w
                if trust is not None:
                    length = np.linalg.norm(w)
                    if clip:
                        ratio = trust * length / (raw + decay * length)
                        ratio = 1.0 if rate == 0 else min(ratio / rate, 1.0)
                    else:
                        ratio = trust * length / np.linalg.norm(g)
                    g = ratio * g
            if inside:
                g = rate * g
            buffers[i] = momentum * buffers[i] + g
            move = g + momentum * buffers[i] if nesterov else buffers[i]
            weights[i] = w - (move if inside else rate * move)
        history.append([w.copy() for w in weights])
    return history


def assert_same(actual, expected, rtol=1e-5):
    for step, (a, b) in enumerate(zip(actual, expected, strict=True)):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-6, err_msg=f"step {step}")


def test_lars_golden():
    golden = np.load(GOLDEN / "lars-v.npz")
    params = json.loads(str(golden["params"]))
    params.pop("note")
    history = run(
        LARS(**params),
        [golden["kernel0"], golden["bias0"]],
        list(zip(golden["kernel_grads"], golden["bias_grads"])),
    )
    np.testing.assert_allclose([h[0] for h in history], golden["kernels"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose([h[1] for h in history], golden["biases"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {}),
        ({"learning_rate_in_momentum": True}, {"inside": True}),  # SimCLR
        ({"exclude": ()}, {"excluded": lambda w: False}),  # SwAV
        ({"trust_coefficient": 0.02, "clip": True}, {"trust": 0.02, "clip": True}),  # solo-learn
        ({"trust_coefficient": 5.0, "clip": True}, {"trust": 5.0, "clip": True}),  # clips
        ({"exclude": ["kern"]}, {"excluded": lambda w: w.ndim > 1}),
    ],
)
def test_lars_variants(arguments, expected, nesterov):
    weights, gradients = problem()
    arguments = {"weight_decay": 0.3, "trust_coefficient": 0.1, "nesterov": nesterov, **arguments}
    expected = {"decay": 0.3, "trust": 0.1, "nesterov": nesterov, **expected}
    assert_same(
        run(LARS(Rates(), **arguments), weights, gradients),
        reference(weights, gradients, **expected),
    )


def test_the_placement_of_the_learning_rate_matters_only_when_it_changes():
    weights, gradients = problem()
    changing = [run(LARS(Rates(), learning_rate_in_momentum=x), weights, gradients) for x in (0, 1)]
    assert np.abs(changing[0][-1][1] - changing[1][-1][1]).max() > 0.1
    constant = [run(LARS(0.3, learning_rate_in_momentum=x), weights, gradients) for x in (0, 1)]
    assert_same(constant[0], constant[1])


def test_lars_takes_a_ratio_of_one_where_a_norm_is_zero():
    weights = [np.zeros((2, 2), "float32"), np.ones((2, 2), "float32")]
    gradients = [[np.ones((2, 2), "float32"), np.zeros((2, 2), "float32")]]
    for clip in (False, True):
        (after,) = run(LARS(0.5, trust_coefficient=0.01, clip=clip), weights, gradients)
        np.testing.assert_allclose(after[0], np.full((2, 2), -0.5))
        np.testing.assert_allclose(after[1], np.ones((2, 2)))


def test_lars_step_is_independent_of_the_gradients_scale():
    weights, gradients = problem()
    scaled = [[1000 * g for g in step] for step in gradients]
    plain, large = (run(LARS(0.3), weights, g) for g in (gradients, scaled))
    np.testing.assert_allclose(plain[-1][0], large[-1][0], rtol=1e-5)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_l2_sgd(nesterov, inside):
    weights, gradients = problem()
    optimizer = L2SGD(
        Rates(), weight_decay=0.2, nesterov=nesterov, learning_rate_in_momentum=inside
    )
    expected = reference(
        weights,
        gradients,
        decay=0.2,
        nesterov=nesterov,
        inside=inside,
        excluded=lambda w: False,
    )
    assert_same(run(optimizer, weights, gradients), expected)


def test_l2_sgd_without_decay_is_keras_sgd_at_a_constant_rate():
    weights, gradients = problem()
    ours = run(L2SGD(0.1, momentum=0.9), weights, gradients)
    keras_ = run(keras.optimizers.SGD(0.1, momentum=0.9), weights, gradients)
    assert_same(ours, keras_)


def test_l2_sgd_equals_pytorch():
    torch = pytest.importorskip("torch")
    weights, gradients = problem()
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    theirs = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.2)
    expected = []
    for rate, step in zip(RATES, gradients):
        theirs.param_groups[0]["lr"] = rate
        for parameter, gradient in zip(parameters, step):
            parameter.grad = torch.tensor(gradient)
        theirs.step()
        expected.append([p.detach().numpy().copy() for p in parameters])
    assert_same(run(L2SGD(Rates(), weight_decay=0.2), weights, gradients), expected)


@pytest.mark.parametrize("optimizer", [L2SGD, LARS])
def test_gradient_accumulation_equals_the_mean_gradient(optimizer):
    weights, gradients = problem()
    pairs = [gradients[0], gradients[1], gradients[2], gradients[3]]
    means = [[(a + b) / 2 for a, b in zip(*pairs[i : i + 2])] for i in (0, 2)]
    options = {"learning_rate": 0.3, "weight_decay": 0.1}
    accumulated = run(optimizer(**options, gradient_accumulation_steps=2), weights, pairs)
    assert_same(accumulated[:1], [weights])
    assert_same(accumulated[1::2], run(optimizer(**options), weights, means))


@pytest.mark.parametrize("optimizer", [L2SGD, LARS])
def test_under_loss_scaling(optimizer):
    weights, gradients = problem()
    scale = 1024.0
    scaled = [[scale * g for g in step] for step in gradients]
    wrapped = keras.optimizers.LossScaleOptimizer(optimizer(0.3), initial_scale=scale)
    assert_same(run(wrapped, weights, scaled), run(optimizer(0.3), weights, gradients))


def test_a_step_with_infinite_gradients_is_skipped_under_loss_scaling():
    weights, gradients = problem()
    wrapped = keras.optimizers.LossScaleOptimizer(LARS(0.3))
    broken = [np.full_like(g, np.inf) for g in gradients[0]]
    assert_same(run(wrapped, weights, [broken]), [weights])


def test_clipping_of_gradients_still_works():
    weights, gradients = problem()
    (after,) = run(L2SGD(1.0, clipnorm=0.5), weights, gradients[:1])
    assert np.linalg.norm(after[0] - weights[0]) == pytest.approx(0.5, rel=1e-4)


def test_float16_weights_stay_finite_and_their_norms_are_float32():
    variable = keras.Variable(np.full((300, 300), 300.0), dtype="float16")
    # The norm, 90,000, is beyond float16.
    LARS(1.0).apply([ops.full((300, 300), 100.0, dtype="float16")], [variable])
    after = np.asarray(variable).astype("float32")
    np.testing.assert_allclose(after, 300.0 - 0.3, atol=0.2)


@pytest.mark.parametrize("optimizer", [L2SGD, LARS])
def test_fit_save_load_and_go_on(optimizer, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)).astype("float32"), rng.normal(size=(64, 2)).astype("float32")

    def go_on(model):
        return model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history["loss"]

    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    schedule = warmup_cosine(0.1, steps=100, warmup_steps=3)
    model.compile(optimizer(schedule, weight_decay=1e-3, exclude=["bias"]), "mse")
    go_on(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.exclude == ("bias",)
    assert go_on(loaded) == go_on(model)


@keras.saving.register_keras_serializable(package="tests")
def nothing(variable):
    return False


@pytest.mark.parametrize(
    "optimizer",
    [
        LARS(
            0.3,
            momentum=0.8,
            weight_decay=0.1,
            trust_coefficient=0.02,
            clip=True,
            nesterov=True,
            learning_rate_in_momentum=True,
            exclude=nothing,
            name="mine",
            clipnorm=1.0,
        ),
        L2SGD(
            0.3,
            momentum=0.8,
            weight_decay=0.1,
            nesterov=True,
            learning_rate_in_momentum=True,
            exclude=["a", "b"],
            name="mine",
        ),
        LARS(),
    ],
)
def test_config_round_trip(optimizer):
    saved = keras.saving.serialize_keras_object(optimizer)
    json.dumps(saved)
    loaded = keras.saving.deserialize_keras_object(saved)
    assert type(loaded) is type(optimizer)
    assert loaded.get_config() == optimizer.get_config()
    assert loaded.exclude == optimizer.exclude


def test_defaults_of_the_exclusion():
    assert LARS().exclude is is_vector
    assert L2SGD().exclude == ()


@pytest.mark.parametrize(
    ("optimizer", "arguments", "message"),
    [
        (L2SGD, {"momentum": 1.0}, r"momentum in \[0, 1\)"),
        (L2SGD, {"weight_decay": -1e-4}, "weight_decay of at least 0"),
        (L2SGD, {"exclude": "bias"}, r"Write \['bias'\]"),
        (LARS, {"momentum": -0.1}, r"momentum in \[0, 1\)"),
        (LARS, {"trust_coefficient": 0.0}, "positive trust_coefficient"),
        (LARS, {"wrong": 1}, "not recognized"),
    ],
)
def test_refuses(optimizer, arguments, message):
    with pytest.raises(ValueError, match=message):
        optimizer(0.1, **arguments)


def test_the_decoupled_exclusion_is_refused():
    with pytest.raises(ValueError, match="the argument `exclude` of LARS"):
        LARS().exclude_from_weight_decay(var_names=["bias"])


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch does not compile the step")
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_in_a_compiled_step(policy):
    rng = np.random.default_rng(0)
    images, labels = rng.random((16, 6, 6, 1), "float32"), rng.integers(0, 2, 16)
    keras.config.set_dtype_policy(policy)
    try:
        model = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                keras.layers.Conv2D(4, 3),
                keras.layers.Flatten(),
                keras.layers.Dense(2, activation="softmax", dtype="float32"),
            ]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = LARS(1.0, trust_coefficient=0.05, clip=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=True)
    losses = model.fit(images, labels, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
