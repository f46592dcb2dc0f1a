"""The code that transfer is measured with: models from an encoder, and the measures by hand."""

import numpy as np
import pytest

from benchmarks import transfer
from keras_contrastive import encoders

CODE = transfer.page()


def tiny_encoder():
    return encoders.small_resnet(widths=(4, 8))


def kernels(model):
    return [np.asarray(weight).copy() for weight in model.trainable_weights]


@pytest.mark.parametrize("frozen", [True, False])
def test_a_classifier_trains_the_encoder_unless_frozen(frozen):
    encoder = tiny_encoder()
    before = [np.asarray(weight).copy() for weight in encoder.weights]
    model = CODE.classifier(encoder, 3, frozen=frozen)
    images, labels = np.random.default_rng(0).random((6, 32, 32, 3), "float32"), np.arange(6) % 3
    CODE.train(model, images, labels, epochs=1)
    same = [np.array_equal(a, np.asarray(b)) for a, b in zip(before, encoder.weights)]
    assert all(same) if frozen else not any(same[-5:])


def test_a_segmenter_starts_from_the_encoders_weights_at_another_size():
    encoder = tiny_encoder()
    encoder.set_weights([np.random.default_rng(0).random(w.shape) for w in encoder.get_weights()])
    model = CODE.segmenter(encoder, 3, (20, 28, 3), width=4)
    assert model.output_shape == (None, 20, 28, 3)
    by_name = {layer.name: layer for layer in model.layers}
    for layer in encoder.layers:
        if layer.weights and layer.name in by_name:
            for one, other in zip(layer.get_weights(), by_name[layer.name].get_weights()):
                np.testing.assert_array_equal(one, other)
    assert "stem_conv" in by_name


def test_void_pixels_teach_nothing():
    images = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    model = CODE.segmenter(tiny_encoder(), 2, (16, 16, 3), width=4)
    before = kernels(model)
    CODE.train(model, images, np.full((2, 16, 16), 11), epochs=1, ignore_class=11)
    for one, other in zip(before, kernels(model)):
        np.testing.assert_array_equal(one, other)


def test_mean_iou_is_that_of_a_double_loop():
    rng = np.random.default_rng(0)
    predicted, labels = rng.integers(0, 3, (2, 5, 5)), rng.integers(0, 4, (2, 5, 5))
    expected = []
    for label in range(3):
        known = labels < 3  # 3 is void
        both = np.sum((predicted == label) & (labels == label) & known)
        either = np.sum(((predicted == label) | (labels == label)) & known)
        expected.append(both / either)
    assert transfer.mean_iou(predicted, labels, 3) == pytest.approx(np.mean(expected))
    assert transfer.mean_iou(labels % 3, labels % 3, 4) == 1.0  # a class that nobody names


def test_few_of_each_class():
    labels = np.array([0] * 5 + [1] * 3 + [2])
    rows = transfer.few_of_each(labels, 2, seed=0)
    assert np.bincount(labels[rows]).tolist() == [2, 2, 1]


def test_from_scratch_differs_by_seed_and_a_preset_does_not():
    original = tiny_encoder()
    encoders_by_name = {"mine": original}
    for seed in (0, 1):
        copy = transfer.encoder_for("mine", encoders_by_name, seed)
        np.testing.assert_array_equal(copy.get_weights()[0], original.get_weights()[0])
    one, other = (transfer.encoder_for(transfer.SCRATCH, encoders_by_name, s) for s in (0, 1))
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("path", ["mine", "zoo/mine", "mine.keras", "runs/mine/encoder.keras"])
def test_a_start_is_called_by_its_preset_or_run(path):
    assert transfer.name_of(path) == "mine"


def test_digits_are_measured_and_a_series_goes_on(tmp_path, monkeypatch, capsys):
    tiny_encoder().save(tmp_path / "mine.keras")
    rows = tmp_path / "rows.json"
    command = [
        "transfer.py", str(tmp_path / "mine.keras"), "--data", "digits", "--seeds", "0",
        "--steps", "1", "--json", str(rows),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr(transfer, "settings", first_two(transfer.settings))
    transfer.main()
    assert [row["start"] for row in transfer.read(rows)] == ["mine", "from scratch"]
    assert all(0 <= row["value"] <= 1 and row["num_labels"] == 100 for row in transfer.read(rows))
    capsys.readouterr()
    transfer.main()
    assert capsys.readouterr().out == ""


def first_two(settings):
    return lambda *args: list(settings(*args))[:2]
