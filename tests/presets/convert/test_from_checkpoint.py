"""Checkpoints become encoders with the features of the PyTorch modules that wrote them."""

import keras
import numpy as np
import pytest

from keras_contrastive import layers
from keras_contrastive.encoders.tensor_files import write_tensors
from keras_contrastive.presets.convert import FORMATS, from_checkpoint
from keras_contrastive.presets.convert.formats import IMAGENET
from tests.presets.convert import checkpoints
from tests.presets.convert.checkpoints import LAYOUTS
from tests.presets.convert.weights import images

torch = pytest.importorskip("torch")

PLAIN = {
    "resnet18": "torchvision",
    "resnet34": "torchvision",
    "resnet50": "torchvision",
    "full_torchvision_resnet50": "torchvision",
    "full_timm_resnet50": "torchvision",
    "vit": "timm",
    "full_timm_vit_small": "dino",
}
HEADS = {"vit": 3}


def saved(path, content):
    """A file as PyTorch writes it."""
    torch.save(_tensors(content), path)
    return path


def _tensors(content):
    if isinstance(content, dict):
        return {name: _tensors(value) for name, value in content.items()}
    return torch.from_numpy(content) if isinstance(content, np.ndarray) else content


def features(encoder):
    return keras.ops.convert_to_numpy(encoder(images(), training=False))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(name, marks=pytest.mark.slow if name.startswith("full") else ())
        for name in PLAIN
    ],
)
def test_features_are_those_of_the_real_module(case, tmp_path):
    path = tmp_path / "network.safetensors"
    write_tensors(path, checkpoints.network(case))
    mean, std = IMAGENET
    converted = from_checkpoint(path, PLAIN[case], mean=mean, std=std, num_heads=HEADS.get(case))
    np.testing.assert_allclose(
        features(converted.encoder), checkpoints.features(case), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_is_recognised_with_its_heads(layout, tmp_path):
    source, case, roles = LAYOUTS[layout]
    path = saved(tmp_path / "checkpoint.pth.tar", layout())
    mean, std = IMAGENET  # of the golden features
    explicit = "mae" if source == "mae" else None  # its encoder alone tells nothing
    num_heads = 3 if case == "vit" else None
    converted = from_checkpoint(path, explicit, mean=mean, std=std, num_heads=num_heads)
    assert converted.source == source
    assert list(converted.heads) == roles
    np.testing.assert_allclose(
        features(converted.encoder), checkpoints.features(case), rtol=1e-4, atol=1e-4
    )
    dim = converted.encoder.output_shape[-1]
    for role in roles:
        assert converted.heads[role].input_shape[-1] == dim
        dim = converted.heads[role].output_shape[-1] if role == "projector" else dim


def test_every_format_has_a_layout_here():
    elsewhere = {"simclr", "simclr-tf", "timm"}
    assert set(FORMATS) == {source for source, _, _ in LAYOUTS.values()} | elsewhere


@pytest.mark.parametrize(
    ("layout", "role", "prefix", "modules"),
    [
        ("moco_v2", "projector", "module.encoder_q.fc.", "L R L"),
        ("moco_v1", "projector", "module.encoder_q.", "fc"),
        ("simsiam", "projector", "module.encoder.fc.", "l B R l B R L b"),
        ("simsiam", "predictor", "module.predictor.", "l B R L"),
        ("swav", "projector", "module.projection_head.", "L B R L"),
        ("barlow_twins", "projector", "module.projector.", "l B R l B R l"),
        ("vicreg", "projector", "module.projector.", "L B R L B R l"),
        ("moco_v3_vit", "projector", "module.base_encoder.head.", "l B R l B R l b"),
        ("dino_vit", "projector", "head.mlp.", "L G L G L"),
    ],
)
def test_heads_are_those_of_torch(layout, role, prefix, modules, tmp_path):
    content = getattr(checkpoints, layout)()
    converted = from_checkpoint(
        saved(tmp_path / "x.pth", content), num_heads=3 if "vit" in layout else None
    )
    state = next((content[k] for k in ("state_dict", "model", "teacher") if k in content), content)
    state = {
        n[len(prefix) :]: torch.from_numpy(a) for n, a in state.items() if n.startswith(prefix)
    }
    head = torch.nn.Sequential()
    for index, kind in enumerate(modules.split()):
        head.add_module("fc" if kind == "fc" else str(index), _module(kind, index, state))
    keys = head.state_dict()
    missing = head.load_state_dict({k: state[k] for k in keys if k in state}, strict=False)
    assert all(k.endswith("num_batches_tracked") for k in missing.missing_keys)
    inputs = np.random.default_rng(0).normal(size=(4, converted.heads[role].input_shape[-1]))
    with torch.no_grad():
        expected = head.eval()(torch.from_numpy(inputs.astype("float32"))).numpy()
    ours = converted.heads[role](inputs.astype("float32"), training=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours), expected, rtol=1e-4, atol=1e-4)


def _module(kind, index, state):
    weight = state.get("fc.weight" if kind == "fc" else f"{index}.weight")
    if kind in ("L", "l", "fc"):
        return torch.nn.Linear(weight.shape[1], weight.shape[0], bias=kind != "l")
    if kind in ("B", "b"):
        size = len(state[f"{index}.running_mean"])
        return torch.nn.BatchNorm1d(size, affine=kind == "B")
    return {"R": torch.nn.ReLU, "G": torch.nn.GELU}[kind]()


@pytest.mark.parametrize(
    ("layout", "head"),
    [
        ("moco_v1", lambda: layers.moco_v1_projector(32, 8)),
        ("moco_v2", lambda: layers.moco_v2_projector(32, output_dim=8)),
        ("swav", lambda: layers.swav_projector(32, 16, 8)),
        ("barlow_twins", lambda: layers.barlow_twins_projector(32, 16, 8)),
        ("vicreg", lambda: layers.vicreg_projector(32, 16, 8)),
        ("moco_v3_resnet", lambda: layers.moco_v3_mlp(32, 16, 8)),
        ("dino_resnet", lambda: layers.dino_projector(32, 16, 8)),
    ],
)
def test_heads_fit_those_of_the_methods(layout, head, tmp_path):
    converted = from_checkpoint(saved(tmp_path / "x.pth", getattr(checkpoints, layout)()))
    ours = head()
    ours.set_weights(converted.heads["projector"].get_weights())
    inputs = np.ones((2, 32), "float32")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(inputs)),
        keras.ops.convert_to_numpy(converted.heads["projector"](inputs)),
        rtol=1e-6,
    )


def test_prototypes_have_unit_length(tmp_path):
    rows = from_checkpoint(saved(tmp_path / "x.pth", checkpoints.swav())).heads["prototypes"]
    given = checkpoints.swav()["module.prototypes.weight"]
    expected = given / np.linalg.norm(given, axis=1, keepdims=True)
    np.testing.assert_allclose(rows.layers[-1].get_weights()[0], expected, rtol=1e-5)


def test_what_is_left_out_is_named(tmp_path):
    converted = from_checkpoint(saved(tmp_path / "x.pth", checkpoints.moco_v2()))
    assert "state_dict/module.queue_ptr" in converted.left_out
    assert "state_dict/module.encoder_k.conv1.weight" in converted.left_out
    assert len(converted.left_out) == 100 + 2 + 1


def test_the_teacher_of_dino_is_taken(tmp_path):
    converted = from_checkpoint(saved(tmp_path / "x.pth", checkpoints.dino_resnet()))
    kernel = converted.encoder.get_layer("stem_conv").get_weights()[0]
    teacher = checkpoints.network("resnet18")["conv1.weight"]
    np.testing.assert_array_equal(kernel, teacher.transpose(2, 3, 1, 0))


@pytest.mark.parametrize(
    ("layout", "source", "mean"),
    [
        ("torchvision", None, (0.485, 0.456, 0.406)),
        ("torchvision", "simclr", (0, 0, 0)),
        ("supcontrast", None, (0.4914, 0.4822, 0.4465)),
    ],
)
def test_images_are_normalised_as_the_project_did(layout, source, mean, tmp_path):
    path = saved(tmp_path / "x.pth", getattr(checkpoints, layout)())
    layer = from_checkpoint(path, source).encoder.get_layer("normalization")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer.mean).ravel(), mean, rtol=1e-6)


def test_the_encoder_opens_in_plain_keras(tmp_path):
    path = saved(tmp_path / "x.pth", checkpoints.dino_vit())
    encoder = from_checkpoint(path, num_heads=3).encoder
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.models.load_model(tmp_path / "encoder.keras")
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    np.testing.assert_allclose(features(loaded), features(encoder), rtol=1e-6)


def test_moco_v3_has_other_attention_heads():
    assert FORMATS["moco-v3"].num_heads[384] == 12
    assert FORMATS["dino"].num_heads[384] == 6


def without(part):
    return lambda content: {name: a for name, a in content.items() if part not in name}


def replaced(name, shape):
    return lambda content: {**content, name: np.zeros(shape, "float32")}


def same(content):
    return content


ERRORS = {
    "missing": (
        "swav",
        "swav",
        without("layer1.0.bn1.running_var"),
        r"Expected the 100 keys of a resnet18.*1 missing: layer1\.0\.bn1\.running_var\. Check",
    ),
    "unexpected": ("swav", "swav", replaced("module.extra", (2,)), "1 unexpected: extra"),
    "misshapen": (
        "swav",
        "swav",
        replaced("module.layer2.0.conv1.weight", (8, 4, 1, 1)),
        r"1 of another shape: layer2\.0\.conv1\.weight \(8, 4, 1, 1\) for \(8, 4, 3, 3\)",
    ),
    "head": (
        "swav",
        "swav",
        without("projection_head.3.weight"),
        r"keys of a projector\. Received: 1 missing: 3\.weight",
    ),
    "prefix": ("swav", "moco-v2", same, r"where moco-v2 has its encoder\. Received: module"),
    "two networks": (
        "swav",
        "swav",
        lambda content: {"model": content, "state_dict": content},
        "unexpected: state_dict/module",
    ),
    "stranger": ("moco_v2", "moco-v2", replaced("a", (2,)), "1 unexpected: a. Check"),
    "name": ("swav", "swaw", same, r"Received: 'swaw'\. Did you mean 'swav'\?"),
    "no format": ("vit", None, replaced("a", (2,)), r"Received: cls_token.*Name the format"),
    "depth": (
        "swav",
        "swav",
        without(".layer4.1."),
        r"Expected a ResNet-18, -34 or -50\. Received: basic blocks, \(2, 2, 2, 1\)",
    ),
    "ambiguous": ("vit", None, same, "those of dino and mae and timm"),
    "attention heads": ("vit", "dino", same, "attention heads.*num_heads=None for 48"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_name_the_keys(case, tmp_path):
    layout, source, change, message = ERRORS[case]
    path = saved(tmp_path / "x.pth", change(getattr(checkpoints, layout)()))
    with pytest.raises(ValueError, match=message):
        from_checkpoint(path, source)


def test_a_vision_transformer_has_one_size(tmp_path):
    path = saved(tmp_path / "x.pth", checkpoints.vit())
    with pytest.raises(ValueError, match=r"Expected image_size=64.*Received: image_size=224"):
        from_checkpoint(path, "dino", image_size=224, num_heads=3)


def test_gains_of_the_last_layer_are_refused(tmp_path):
    content = checkpoints.dino_resnet()
    content["teacher"]["module.head.last_layer.weight_g"][2] = 1.5
    path = saved(tmp_path / "x.pth", content)
    with pytest.raises(ValueError, match=r"gains from 1 to 1\.5"):
        from_checkpoint(path)
    assert from_checkpoint(path, heads=False).heads == {}
