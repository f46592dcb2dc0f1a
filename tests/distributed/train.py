"""Trains tiny methods on some devices, in a process: `train.py DEVICES FILE REST NAME...`

Devices are logical ones of one processor on TensorFlow and JAX, which must be made before the
backend starts, and processes on PyTorch; with TF_CONFIG, they are workers on TensorFlow. The file
gets, for each method, what a run leaves behind: weights, queues and other state at the start, after
one step and after an epoch, and the logs.
"""

import os
import sys
from contextlib import nullcontext

import numpy as np


def prepare(devices):
    """Makes the devices; returns the scope in which methods are made."""
    backend = os.environ["KERAS_BACKEND"]
    if "TF_CONFIG" in os.environ:
        import tensorflow as tf

        return tf.distribute.MultiWorkerMirroredStrategy().scope
    if backend == "tensorflow":
        import tensorflow as tf

        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration() for _ in range(devices)]
        )
        if devices > 1:
            return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)]).scope
    if backend == "torch" and devices > 1:
        from torch import distributed

        distributed.init_process_group("gloo")  # rank and address come from the environment
    if backend == "jax":
        import keras

        if devices > 1:
            keras.distribution.set_distribution(keras.distribution.DataParallel())
    return nullcontext


def simclr_in_parts():
    """Without batch normalisation, which would see other parts on more devices."""
    import keras

    import keras_contrastive as kc

    keras.utils.set_random_seed(0)
    layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")]
    return kc.SimCLR(keras.Sequential(layers), projector=kc.layers.byol_mlp, micro_batches=2)


def train(name, rest, scope):
    """Arrays by name."""
    import keras

    from tests.methods.parts import METHODS, SENTENCE_METHODS, compiled, images, ready

    results = {}
    make = {"simclr_in_parts": simclr_in_parts, **METHODS, **SENTENCE_METHODS}[name]
    pixels, labels = images(21, seed=1)
    rng = np.random.default_rng(2)
    num_views = 4 if name.startswith("guided") else 2
    views = tuple(
        np.clip(pixels + 0.1 * rng.normal(size=pixels.shape), 0, 1).astype("float32")
        for _ in range(num_views)
    )
    # A single step, whose difference is the gradient; and an epoch, whose last batch is a rest.
    runs = {"step": 8} if name == "simclr_in_parts" else {"step": 8, "epoch": 16 + rest}
    for run, num in runs.items():
        with scope():
            method = compiled(make(), keras.optimizers.SGD(0.02))
        results |= {f"start/{key}": value for key, value in state(method).items()}
        logs = method.fit(
            ready(method, [view[:num] for view in views], labels[:num]),
            labels[:num] if method.uses_labels or name == "cosent" else None,
            batch_size=8,
            shuffle=False,
            verbose=0,
        ).history
        results |= {f"{run}/log/{key}": np.array(value) for key, value in logs.items()}
        results |= {f"{run}/{key}": value for key, value in state(method).items()}
    return results


def state(method):
    """All variables but random states, by number and name."""
    import keras

    return {
        f"{number}/{variable.path.rsplit('/', 1)[-1]}": keras.ops.convert_to_numpy(variable).copy()
        for number, variable in enumerate(method.variables)
        if variable.name != "seed_generator_state"
    }


def main():
    devices, file, rest, *names = sys.argv[1:]
    scope = prepare(int(devices))

    results = {
        f"{name}/{key}": value
        for name in names
        for key, value in train(name, int(rest), scope).items()
    }
    if os.environ["RANK"] == "0":
        np.savez(file, **results)


if __name__ == "__main__":
    main()
