"""What `SimCLR.fit` costs over a hand-written step of the same network.

    KERAS_BACKEND=tensorflow python benchmarks/step.py

Both train the small ResNet on the same views of the same batch; the hand-written step holds the
network, NT-Xent and the optimizer, and nothing else. Rounds alternate; the medians are compared.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent)]
SIZE = 32


def parts(batch_size):
    import keras

    import keras_contrastive as kc

    keras.utils.set_random_seed(0)
    encoder = kc.encoders.small_resnet(input_shape=(SIZE, SIZE, 3))
    views = kc.augmentation.simclr_views(size=SIZE, strength=0.5, blur=0.0)
    projector = kc.layers.simclr_v1_projector(encoder.output_shape[-1])
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    images = np.random.default_rng(0).integers(0, 256, (batch_size, SIZE, SIZE, 3), "uint8")
    return encoder, views, projector, optimizer, images


def loss_of(encoder, views, projector, images):
    from keras import ops

    from keras_contrastive.losses import nt_xent

    projections = projector(encoder(ops.concatenate(views(images)), training=True), training=True)
    half = ops.shape(projections)[0] // 2
    return ops.mean(nt_xent(projections[:half], projections[half:]))


def hand_written(batch_size):
    """A function that runs one step, as a user of the backend would write it."""
    import keras

    encoder, views, projector, optimizer, images = parts(batch_size)
    backend = keras.backend.backend()
    networks = keras.Sequential([encoder, projector])
    variables = networks.trainable_variables
    optimizer.build(variables)
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(jit_compile=False)
        def step(batch):
            with tf.GradientTape() as tape:
                loss = loss_of(encoder, views, projector, batch)
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return loss

        return lambda: float(step(tf.constant(images)))
    if backend == "torch":
        import torch

        def step():
            networks.zero_grad()
            loss = loss_of(encoder, views, projector, images)
            loss.backward()
            with torch.no_grad():
                optimizer.apply([v.value.grad for v in variables], variables)
            return float(loss.detach())

        return step
    import jax

    others = [*networks.non_trainable_variables, *views.variables]

    def objective(trainable, state, batch):
        mapping = [*zip(variables, trainable), *zip(others, state)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            loss = loss_of(encoder, views, projector, batch)
        return loss, [scope.get_current_value(v) for v in others]

    @jax.jit
    def step(trainable, state, slots, batch):
        (loss, state), gradients = jax.value_and_grad(objective, has_aux=True)(
            trainable, state, batch
        )
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return loss, trainable, state, slots

    held = [[v.value for v in group] for group in (variables, others, optimizer.variables)]

    def run():
        loss, *held[:] = step(*held, images)
        return float(loss)

    return run


def fitted(batch_size, steps):
    """A function that runs `steps` steps of `fit`."""
    import keras

    import keras_contrastive as kc

    encoder, views, projector, optimizer, images = parts(batch_size)
    method = kc.SimCLR(encoder, views, projector)
    method.compile(optimizer)

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return steps

        def __getitem__(self, i):
            return (images,)

    class Timer(keras.callbacks.Callback):
        """From the first batch to the last, so that the start of `fit` does not count."""

        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                self.started = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            float(logs["loss"])
            self.seconds = time.perf_counter() - self.started

    def run():
        timer = Timer()
        method.fit(Data(), epochs=1, verbose=0, callbacks=[timer])
        return timer.seconds

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    import keras

    from keras_contrastive.cli import machine

    by_hand, fit = hand_written(args.batch_size), fitted(args.batch_size, args.steps)
    by_hand()
    fit()
    ratios, seconds = [], {"hand": [], "fit": []}
    for _ in range(args.rounds):
        started = time.perf_counter()
        for _ in range(args.steps):
            by_hand()
        seconds["hand"].append((time.perf_counter() - started) / args.steps)
        seconds["fit"].append(fit() / args.steps)
        ratios.append(seconds["fit"][-1] / seconds["hand"][-1])
    result = {
        "backend": keras.backend.backend(),
        "batch_size": args.batch_size,
        "hand_written_ms": round(1000 * statistics.median(seconds["hand"]), 1),
        "fit_ms": round(1000 * statistics.median(seconds["fit"]), 1),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(r, 3) for r in ratios],
        "hardware": machine.hardware(),
        "versions": machine.versions(),
    }
    print(json.dumps(result, indent=1))
    if args.json:
        rows = json.loads(args.json.read_text()) if args.json.exists() else {}
        args.json.write_text(json.dumps({**rows, result["backend"]: result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
