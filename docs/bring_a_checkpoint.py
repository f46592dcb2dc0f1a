"""A MoCo v2 checkpoint into Keras, used, and back to PyTorch: python bring_a_checkpoint.py FILE"""

import sys

import keras
import numpy as np

import keras_contrastive as kc

converted = kc.from_checkpoint(sys.argv[1])  # .pth, .pth.tar, .pt, .ckpt, .bin or .safetensors
print(converted.source, converted.encoder.output_shape, sorted(converted.heads))

images = np.random.default_rng(0).random((4, 64, 64, 3), "float32")  # floats in [0, 1]
features = converted.encoder.predict(images, verbose=0)

classifier = keras.Sequential([converted.encoder, keras.layers.Dense(10)])  # fine-tune, or ...
method = kc.MoCo(converted.encoder, projector=converted.heads["projector"])  # ... train on

converted.encoder.save("encoder.keras")  # opens in plain Keras
kc.save_torchvision(converted.encoder, "encoder.safetensors")  # torchvision's names, to PyTorch
