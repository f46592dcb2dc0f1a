"""A saved model in a process that has Keras and not this package."""

import subprocess
import sys

import numpy as np

SCRIPT = """
import sys, keras, numpy
model = keras.saving.load_model("model.keras")
outputs = keras.tree.flatten(model(numpy.load("inputs.npy"), training=False))
numpy.save("outputs.npy", keras.ops.convert_to_numpy(outputs[-1]))
assert not [name for name in sys.modules if name.startswith("keras_contrastive")]
"""


def outputs_in_plain_keras(model, inputs, folder):
    """What the model, saved and loaded there, gives for the inputs; of several, the last."""
    model.save(folder / "model.keras")
    np.save(folder / "inputs.npy", inputs)
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, check=True)
    return np.load(folder / "outputs.npy")
