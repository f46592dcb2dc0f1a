"""SimCLR on all devices that JAX sees: python train_jax.py"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras

import keras_contrastive as kc

if "KERAS_DISTRIBUTION_JOB_ADDRESSES" in os.environ:  # one of several processes
    keras.distribution.initialize()

keras.utils.set_random_seed(0)
keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
images = kc.data.load("digits", image_size=16).images
method = kc.SimCLR(
    kc.encoders.small_resnet(input_shape=(16, 16, 1), widths=(16, 32)),
    kc.augmentation.simclr_views(size=16, strength=0.2, blur=0.0, scale=(0.7, 1.0)),
)
method.compile(keras.optimizers.Adam(1e-3))
history = method.fit(images[:1280], batch_size=256, epochs=10)
print(f"{len(keras.distribution.list_devices())} devices, loss {history.history['loss'][-1]:.4f}")
