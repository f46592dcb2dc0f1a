"""CLIP checkpoints in keras-hub's CLIPBackbone give what open_clip gives."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders.tensor_files import write_tensors
from keras_contrastive.presets.convert import clip_backbone, clip_method
from keras_contrastive.presets.convert.clip import CONFIG, MEAN, STD
from tests.presets.convert.checkpoints import GOLDEN, network
from tests.presets.convert.weights import images

CASES = {"clip_quick_gelu": True, "clip_gelu": False}
HEADS = {"vision_heads": 4, "text_heads": 3}


@pytest.fixture(scope="module", autouse=True)
def _hub():
    pytest.importorskip("keras_hub")


def arrays(case):
    return {name: np.asarray(array) for name, array in network(case).items()}


def written(folder, tensors, name="model.safetensors"):
    write_tensors(folder / name, tensors)
    return folder / name


def array(tensor):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(tensor)))


@pytest.fixture(scope="module", params=CASES)
def converted(request, tmp_path_factory):
    path = written(tmp_path_factory.mktemp("clip"), arrays(request.param))
    with np.load(GOLDEN / f"{request.param}.npz") as golden:
        return clip_backbone(path, quick_gelu=CASES[request.param], **HEADS), dict(golden)


def test_features_and_logits_are_open_clips(converted):
    backbone, golden = converted
    pixels = (images(16) - np.array(MEAN, "float32")) / np.array(STD, "float32")
    found = {
        "image_features": backbone.get_vision_embeddings(ops.convert_to_tensor(pixels)),
        "text_features": backbone.get_text_embeddings(ops.convert_to_tensor(golden["token_ids"])),
        "logits": backbone({"images": pixels, "token_ids": golden["token_ids"]})["vision_logits"],
    }
    for name, tensor in found.items():
        scale = np.abs(golden[name]).max()
        np.testing.assert_allclose(array(tensor) / scale, golden[name] / scale, atol=1e-5)


def test_the_method_embeds_alike(converted, tmp_path):
    backbone, golden = converted
    method = clip_method(backbone)
    embeddings = method.embed_images(images(16)), method.embed_texts(golden["token_ids"])
    for z, name in zip(embeddings, ("image_features", "text_features"), strict=True):
        unit = golden[name] / np.linalg.norm(golden[name], axis=1, keepdims=True)
        np.testing.assert_allclose(z, unit, atol=1e-5)
    method.save(tmp_path / "clip.keras")
    loaded = keras.saving.load_model(tmp_path / "clip.keras")
    np.testing.assert_allclose(loaded.embed_images(images(16)), embeddings[0], atol=1e-5)
    np.testing.assert_allclose(loaded.embed_texts(golden["token_ids"]), embeddings[1], atol=1e-5)


def test_the_method_trains_and_keeps_the_scale(converted):
    backbone, golden = converted
    method = clip_method(backbone)
    scale = np.exp(array(backbone.clip_head.logit_scale))
    assert float(array(method.scale)) == pytest.approx(min(scale, 100.0), rel=1e-4)
    method.compile(keras.optimizers.SGD(0.0))
    loss = method.evaluate((images(16), golden["token_ids"]), verbose=0, return_dict=True)["loss"]
    logits = golden["logits"]
    expected = [
        np.log(np.exp(part - np.diag(part)[:, None]).sum(axis=1)).mean()
        for part in (logits, logits.T)
    ]
    assert loss == pytest.approx(np.mean(expected), rel=1e-3)


def test_the_activation_matters(tmp_path):
    path = written(tmp_path, arrays("clip_quick_gelu"))
    pixels = ops.convert_to_tensor(images(16))
    quick, exact = (
        array(clip_backbone(path, quick_gelu, **HEADS).get_vision_embeddings(pixels))
        for quick_gelu in (True, False)
    )
    assert np.abs(quick - exact).max() > 3e-3 * np.abs(exact).max()


def activation(backbone):
    return backbone.vision_encoder.intermediate_activation


def test_the_activation_and_heads_come_from_the_config(tmp_path):
    path = written(tmp_path, arrays("clip_gelu"))
    vision, text = {"head_width": 8, "width": 32}, {"heads": 3, "width": 24}
    config = {"model_cfg": {"vision_cfg": vision, "text_cfg": text}}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    backbone = clip_backbone(path)
    assert activation(backbone) == "gelu"
    assert (backbone.vision_encoder.num_heads, backbone.text_encoder.num_heads) == (4, 3)
    assert activation(clip_backbone(path, quick_gelu=True)) == "quick_gelu"
    config["model_cfg"]["quick_gelu"] = True
    (tmp_path / CONFIG).write_text(json.dumps(config))
    assert activation(clip_backbone(path)) == "quick_gelu"
    vision["pool_type"] = "avg"
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"CLIPBackbone has.*vision_cfg.pool_type=avg"):
        clip_backbone(path)


def test_files_as_openai_and_training_lay_them_out(tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(value) for name, value in arrays("clip_quick_gelu").items()}
    sizes = ("input_resolution", "context_length", "vocab_size")
    openai = {name: value.half() for name, value in tensors.items()}
    torch.save(openai | dict.fromkeys(sizes, torch.tensor(1)), tmp_path / "openai.pt")
    assert activation(clip_backbone(tmp_path / "openai.pt", **HEADS)) == "quick_gelu"
    training = {f"module.{name}": value for name, value in tensors.items()}
    torch.save({"epoch": 1, "state_dict": training, "optimizer": {}}, tmp_path / "epoch_1.pt")
    backbone = clip_backbone(tmp_path / "epoch_1.pt", quick_gelu=False, **HEADS)
    np.testing.assert_array_equal(
        array(backbone.text_projection.kernel), tensors["text_projection"].numpy()
    )


def without(name):
    return lambda tensors: tensors.pop(name)


def plus(name, shape):
    return lambda tensors: tensors.update({name: np.zeros(shape, "float32")})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("visual.proj"), "without visual.proj"),
        (without("ln_final.bias"), "1 missing: ln_final.bias"),
        (without("logit_scale"), "1 missing: logit_scale"),
        (without("transformer.resblocks.1.ln_1.weight"), "1 missing: transformer.resblocks.1"),
        (plus("logit_bias", ()), "1 unexpected: logit_bias"),
        (plus("visual.proj", (31, 20)), r"visual.proj \(31, 20\) for \(32, 20\)"),
    ],
)
def test_every_key_is_accounted_for(change, message, tmp_path):
    tensors = arrays("clip_quick_gelu")
    change(tensors)
    with pytest.raises(ValueError, match=message):
        clip_backbone(written(tmp_path, tensors), quick_gelu=True, **HEADS)


def test_the_activation_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match="quick_gelu=True for OpenAI"):
        clip_backbone(written(tmp_path, arrays("clip_quick_gelu")))
