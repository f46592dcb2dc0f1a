"""SimCLR on all GPUs of a machine, or of several: python train_tensorflow.py"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

import keras_contrastive as kc

if "TF_CONFIG" in os.environ:  # one of several machines
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
else:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])

keras.utils.set_random_seed(0)
images = kc.data.load("digits", image_size=16).images
with strategy.scope():
    method = kc.SimCLR(
        kc.encoders.small_resnet(input_shape=(16, 16, 1), widths=(16, 32)),
        kc.augmentation.simclr_views(size=16, strength=0.2, blur=0.0, scale=(0.7, 1.0)),
    )
    method.compile(keras.optimizers.Adam(1e-3))
history = method.fit(images[:1280], batch_size=256, epochs=10)
print(f"{strategy.num_replicas_in_sync} devices, loss {history.history['loss'][-1]:.4f}")
