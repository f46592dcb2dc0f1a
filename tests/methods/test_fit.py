"""`fit` on every method and setting: learning, logging, saving, resuming."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.parts import (
    METHODS,
    assert_same_weights,
    byol,
    compiled,
    data,
    images,
    moco,
    simclr,
    swav,
    weights,
)

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.filterwarnings("ignore:.*jit_compile.*")


# What a test asks of the base class is asked of these on every backend, and of all other methods
# where nothing has to be compiled; `--slow` asks it of all everywhere.
CORE = {"simclr", "moco", "moco_symmetric", "byol"}


@pytest.fixture(params=sorted(METHODS))
def make_any(request):
    return METHODS[request.param]


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name in CORE or BACKEND == "torch" else pytest.mark.slow)
        for name in sorted(METHODS)
    ]
)
def make(request):
    return METHODS[request.param]


def fit(method, epochs=1, batch_size=8, **kwargs):
    x, y = data(method)
    labels = y if method.uses_labels else None
    return method.fit(
        x, labels, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0, **kwargs
    ).history


def test_the_loss_falls_on_structured_data(make_any):
    history = fit(compiled(make_any()), epochs=12)["loss"]
    assert all(map(math.isfinite, history))
    late = history[2:]  # a queue starts with random rows, which are easy negatives
    assert np.mean(late[-3:]) < 0.9 * np.mean(late[:3])


def test_logs_name_what_people_watch(make):
    method = compiled(make(probe_classes=4))
    x, y = data(method)
    logs = method.fit(x, y, batch_size=8, verbose=0).history
    expected = {"loss", "representation_std", "effective_rank", "probe_accuracy"}
    expected |= {"projection_std", "projection_rank"}
    assert expected <= set(logs)
    assert 0 < logs["representation_std"][0] <= 1
    assert 1 <= logs["effective_rank"][0] <= 6
    assert 0 < logs["projection_std"][0] <= 1
    assert 1 <= logs["projection_rank"][0] <= 7
    assert 0 <= logs["probe_accuracy"][0] <= 1


def test_the_probe_leaves_the_method_alone(make):
    plain, probed = make(), make(probe_classes=4)
    x, y = data(plain)
    its_own = {id(variable) for variable in probed.probe.weights}
    same = [variable for variable in probed.weights if id(variable) not in its_own]
    for variable, value in zip(same, plain.weights, strict=True):
        variable.assign(ops.convert_to_numpy(value))
    loss = fit(compiled(plain), epochs=2)["loss"]
    logs = compiled(probed).fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(logs["loss"], loss, rtol=1e-4)


@pytest.mark.parametrize("unlabelled", [0, 2])
def test_the_probe_learns_from_the_labelled_samples(unlabelled):
    x, y = images()
    if unlabelled:
        y[::unlabelled] = -1
    method = compiled(simclr(probe_classes=4), keras.optimizers.Adam(0.02))
    logs = method.fit(x, y, batch_size=8, epochs=15, verbose=0).history
    assert logs["probe_accuracy"][-1] > 0.7


def test_predict_gives_the_encoders_features_and_takes_uint8(make):
    method = compiled(make())
    pixels = (images()[0] * 255).astype("uint8")
    features = method.predict(pixels, verbose=0)
    expected = method.encoder.predict(pixels.astype("float32") / 255, verbose=0)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


def test_evaluate_gives_the_objective_and_changes_no_state(make):
    method = compiled(make())
    fit(method)
    before = weights(method)
    x, y = data(method)
    first = method.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    assert math.isfinite(first["loss"])
    metrics = {v.path for v in method.metrics_variables}
    for name, value in weights(method).items():
        if name.split("/", 1)[1] not in metrics:
            np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_a_saved_method_resumes_bit_for_bit(make_any, tmp_path):
    method = compiled(make_any())
    fit(method)
    method.save(tmp_path / "method.keras")
    resumed = keras.saving.load_model(tmp_path / "method.keras")
    assert_same_weights(resumed, method)
    fit(method)
    fit(resumed)
    assert_same_weights(resumed, method)


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_backup_and_restore_resumes_bit_for_bit(make, tmp_path):
    straight = compiled(make())
    fit(straight, epochs=3)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(make()), epochs=3, callbacks=[backup, Interrupt()])
    resumed = compiled(make())
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    fit(resumed, epochs=3, callbacks=[backup])
    assert_same_weights(resumed, straight)


def settings():
    yield "eager", {"run_eagerly": True}
    if BACKEND != "torch":
        yield "jit", {"jit_compile": True}
        yield "several steps", {"steps_per_execution": 2}
    if BACKEND == "tensorflow":
        yield "graph", {"jit_compile": False}


@pytest.mark.parametrize(("name", "setting"), [*settings()], ids=lambda value: str(value))
@pytest.mark.parametrize("make", [simclr, moco, byol, swav])
def test_every_way_to_run_a_step_gives_the_same_weights(make, name, setting):
    x, _ = images()
    views = x, x[:, :, ::-1].copy()  # ready ones: XLA draws other random numbers
    reference, method = compiled(make()), compiled(make(), **setting)
    for each in (reference, method):
        each.fit(views, batch_size=16, shuffle=False, verbose=0)
    first, second = weights(reference), weights(method)
    for (path, a), b in zip(first.items(), second.values(), strict=True):
        if "metric" not in path:
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4, err_msg=path)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(make, policy):
    keras.config.set_dtype_policy(policy)
    try:
        method = compiled(make())
        history = fit(method, epochs=3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(map(math.isfinite, history["loss"]))
    assert int(method.steps) > 0
    assert method.encoder.trainable_variables[0].dtype == "float32"
    if policy == "mixed_float16":
        assert isinstance(method.optimizer, keras.optimizers.LossScaleOptimizer)


def test_an_overflow_moves_neither_weights_nor_target():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        optimizer = keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.1), initial_scale=2.0**100
        )
        method = compiled(byol(), optimizer)
        trainable = [ops.convert_to_numpy(v).copy() for v in method.trainable_variables]
        targets = [ops.convert_to_numpy(v).copy() for _, v in method.momentum_pair.variables]
        fit(method, batch_size=32)
    finally:
        keras.config.set_dtype_policy("float32")
    assert int(method.steps) == 0
    for before, variable in zip(trainable, method.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, ops.convert_to_numpy(variable))
    for before, (_, variable) in zip(targets, method.momentum_pair.variables, strict=True):
        np.testing.assert_array_equal(before, ops.convert_to_numpy(variable))


def test_accumulated_gradients_move_the_target_when_the_optimizer_steps():
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
    method = compiled(byol(), optimizer)
    fit(method)  # four batches
    assert int(method.steps) == 2


def test_ready_views_give_what_the_augmentation_gives():
    x, _ = images()
    method = compiled(kc.SimCLR(simclr().encoder))
    history = method.fit((x, x[:, ::-1].copy()), batch_size=8, verbose=0).history
    assert math.isfinite(history["loss"][0])


def test_indices_travel_with_the_inputs():
    seen = {}

    @keras.saving.register_keras_serializable(package="tests")
    class Watching(kc.SimCLR):
        def objective(self, views, labels=None, index=None, training=True):
            seen["index"] = index
            return super().objective(views, labels, index, training)

    x, _ = images()
    method = compiled(Watching(simclr().encoder, simclr().augmentation), run_eagerly=True)
    data = {"inputs": x, "index": np.arange(len(x))}
    method.fit(data, batch_size=8, shuffle=False, verbose=0)
    if BACKEND != "jax":
        np.testing.assert_array_equal(ops.convert_to_numpy(seen["index"]), np.arange(24, 32))
    else:
        assert seen["index"].shape == (8,)


def test_setting_trainable_does_not_wake_the_targets(make):
    method = make()
    method.trainable = False
    method.trainable = True
    trainable = {id(v) for v in method.trainable_variables}
    assert trainable
    if method.momentum_pair is not None:
        assert not any(id(target) in trainable for _, target in method.momentum_pair.variables)


def test_random_states_of_another_model_are_refused(tmp_path):
    method = compiled(simclr())
    method.save_weights(tmp_path / "a.weights.h5")
    other = compiled(kc.SimCLR(simclr().encoder, None, kc.layers.simclr_v2_projector))
    with pytest.raises(ValueError, match="states of 0 random generators"):
        other.load_weights(tmp_path / "a.weights.h5")


def test_config_names_every_constructor_argument(make):
    import inspect

    method = make(probe_classes=3)
    parameters = set(inspect.signature(type(method).__init__).parameters) - {"self", "kwargs"}
    assert parameters <= set(method.get_config())
    again = type(method).from_config(method.get_config())
    assert again.get_config() == method.get_config()
