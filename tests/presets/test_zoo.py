"""The packaged presets: in plain Keras they give the features that their files state."""

import json
import subprocess
import sys

import numpy as np

from keras_contrastive.cli.zoo.steps import noise
from keras_contrastive.presets import card, from_preset, presets

SCRIPT = """
import json, sys, keras, numpy
found = {}
for path in sys.argv[1:]:
    model = keras.saving.load_model(path)
    image = numpy.random.default_rng(0).random((1, *model.input_shape[1:]), "float32")
    found[path] = model.predict(image, verbose=0)[0].tolist()
assert not [name for name in sys.modules if name.startswith("keras_contrastive")]
print("FOUND", json.dumps(found))
"""
LIMIT = 16 * 2**20


def test_every_encoder_gives_its_features_in_plain_keras(tmp_path):
    stated = {
        str(preset.folder.resolve() / "encoder.keras"): preset.results["sample"]
        for preset in presets().values()
        if "sample" in preset.results
    }
    command = [sys.executable, "-c", SCRIPT, *stated]
    output = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    found = json.loads(output.stdout.split("FOUND", 1)[1])
    for path, features in stated.items():
        np.testing.assert_allclose(found[path], features, atol=1e-4, err_msg=path)


def test_every_file_is_the_one_that_was_measured():
    for name in presets():
        encoder = from_preset(name)  # checks the sha256
        features = encoder(noise(encoder.input_shape))
        assert features.shape == (1, encoder.output_shape[-1])


def test_every_card_is_made_from_its_figures():
    for name, preset in presets().items():
        recipe = preset.folder / "recipe.yaml"
        text = recipe.read_text("utf8") if recipe.exists() else None
        assert (preset.folder / "README.md").read_text("utf8") == card(name, preset.results, text)


def test_the_zoo_stays_small():
    folders = [preset.folder for preset in presets().values()]
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*"))
    assert size < LIMIT, f"{size / 2**20:.1f} MiB"
