"""CLIP checkpoints of OpenAI and of open_clip, into keras-hub's CLIPBackbone and into `CLIP`."""

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_contrastive.encoders.blocks import channel_axis
from keras_contrastive.encoders.tensor_files import read_tensors
from keras_contrastive.layers import LearnedTemperature
from keras_contrastive.losses import InfoNCE
from keras_contrastive.methods import CLIP
from keras_contrastive.presets.convert.keys import check_keys, listed
from keras_contrastive.presets.convert.vit import attention_weights

Arrays = Mapping[str, np.ndarray]

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
CONFIG = "open_clip_config.json"

# What training, torch.compile and open_clip's models with an exchangeable text tower put in front.
_AROUND = re.compile(r"^(?:state_dict/)?(?:module\.)?(?:_orig_mod\.)?(?:text\.)?")
# Numbers that OpenAI's files have beside the weights: they tell these files from others.
_OPENAI = {"input_resolution", "context_length", "vocab_size"}
_LEFT_OUT = _OPENAI | {"attn_mask"}
_WIDE = {1280: 16, 1408: 16, 1664: 16, 1792: 16}  # ViT-H, g, bigG, e; else a head for 64 features
# Keys of open_clip's configs that shapes or keras-hub cover; any other changes the network.
_KNOWN = {
    "vision_cfg": {"image_size", "layers", "width", "patch_size", "head_width", "mlp_ratio"},
    "text_cfg": {
        *("context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio"),
        *("hf_tokenizer_name", "tokenizer_kwargs", "tokenizer_mode"),
    },
}


def clip_backbone(
    path: str | Path,
    quick_gelu: bool | None = None,
    vision_heads: int | None = None,
    text_heads: int | None = None,
) -> keras.Model:
    """Convert a CLIP checkpoint of OpenAI or open_clip into keras-hub's `CLIPBackbone`.

    Vision transformers with a class token and CLIP's own text Transformer. Every key must be
    accounted for. What no key tells comes from the arguments, else from `open_clip_config.json`
    beside the file, as on the Hugging Face hub, else from OpenAI's own conventions.

    Args:
        path: `.safetensors`, or PyTorch's `.pt`, `.pth`, `.bin`. OpenAI's own downloads are
            TorchScript archives; save their `state_dict()` first.
        quick_gelu: Whether the activation is `x sigmoid(1.702 x)`, as in OpenAI's models and in
            those of open_clip named "-quickgelu", or the exact GELU.
        vision_heads: Attention heads of the image tower. Default: of ViT-H and larger 16, else one
            for 64 features.
        text_heads: Of the text tower. Default: one for 64 features.

    Returns:
        A `keras_hub.models.CLIPBackbone`. Its images are normalised (see `clip_method`); its
        texts are padded with 0 behind the end of text, which has the largest id.

    Raises:
        ValueError: On a file that cannot be read, keys that are missing, unexpected or misshapen
            (residual networks, SigLIP's bias, other text towers), a config with parts that
            `CLIPBackbone` lacks, and an unknown activation.
        ImportError: Where keras-hub is missing.

    Example, where keras-hub is installed:

        backbone = clip_backbone("ViT-B-32/open_clip_model.safetensors")
        backbone.save_to_preset("clip_vit_b_32")
        method = clip_method(backbone, tokenizer)

    Differs from the reference: keras-hub's last normalisation of the text tower has an epsilon of
    1e-6 for 1e-5.

    Reference:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021; Cherti et al., "Reproducible scaling laws for contrastive language-image learning",
        2023.
    """
    hub = _keras_hub()
    tensors = {_AROUND.sub("", name): array for name, array in read_tensors(path).items()}
    arrays = {name: array for name, array in tensors.items() if name not in _LEFT_OUT}
    config = _config(Path(path).parent / CONFIG)
    if quick_gelu is None:
        known = config or tensors.keys() >= _OPENAI
        quick_gelu = config.get("quick_gelu", not config) if known else None
    if quick_gelu is None:
        raise ValueError(
            f"Expected to know the activation, which no key tells. Received: {path}, without "
            f"{CONFIG} beside it. Pass quick_gelu=True for OpenAI's weights and for models named "
            f"-quickgelu, else quick_gelu=False."
        )
    vision, text = _sizes(arrays)
    head_width = config.get("vision_cfg", {}).get("head_width")
    wide = _WIDE.get(vision["hidden_dim"], vision["hidden_dim"] // 64)
    vision_heads = vision_heads or (vision["hidden_dim"] // head_width if head_width else wide)
    text_heads = text_heads or config.get("text_cfg", {}).get("heads", text["hidden_dim"] // 64)
    common = {"intermediate_activation": "quick_gelu" if quick_gelu else "gelu"}
    backbone = hub.models.CLIPBackbone(
        hub.models.CLIPVisionEncoder(num_heads=vision_heads, **vision, **common),
        hub.models.CLIPTextEncoder(num_heads=text_heads, **text, **common),
        projection_dim=arrays["text_projection"].shape[1],
    )
    _assign(backbone, arrays)
    return backbone


def clip_method(
    backbone: keras.Model,
    tokenizer: Callable[[list[str]], Any] | None = None,
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
    **kwargs: Any,
) -> CLIP:
    """Put keras-hub's `CLIPBackbone` into `CLIP`: to train on, to embed with, for zero-shot.

    Args:
        backbone: A `CLIPBackbone`. Its weights are shared, not copied.
        tokenizer: As in `CLIP`; a `keras_contrastive.encoders.SubwordTokenizer` of the model's
            `tokenizer.json` for instance.
        mean: Mean of each channel in [0, 1], subtracted inside the image tower. Default: OpenAI's.
        std: Standard deviation of each channel, divided by inside. Default: OpenAI's.
        **kwargs: As `CLIP`, which gets towers, projections and temperature from here.

    Returns:
        A `CLIP` whose towers take float images in [0, 1] and token ids. To load its `.keras` file,
        import keras_hub first. Its temperature is the backbone's, at least 0.01.
    """
    vision, text = backbone.vision_encoder, backbone.text_encoder
    images = keras.Input(vision.image_shape, name="images")
    normalized = keras.layers.Normalization(
        axis=channel_axis(), mean=list(mean), variance=[s * s for s in std], name="normalization"
    )(images)
    pooled = backbone.vision_pooler(vision({"images": normalized}))
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    of_texts = backbone.text_pooler(text({"token_ids": token_ids}), token_ids)
    temperature = float(np.exp(-keras.ops.convert_to_numpy(backbone.clip_head.logit_scale)))
    loss = InfoNCE(LearnedTemperature(max(temperature, 0.01)), symmetric=True)
    return CLIP(
        keras.Model(images, pooled, name="image_tower"),
        keras.Model(token_ids, of_texts, name="text_tower"),
        image_projector=_head(vision.hidden_dim, backbone.vision_projection),
        text_projector=_head(text.hidden_dim, backbone.text_projection),
        loss=loss,
        tokenizer=tokenizer,
        **kwargs,
    )


def _keras_hub() -> Any:
    try:
        import keras_hub
    except ModuleNotFoundError as error:
        raise ImportError(
            f"CLIPBackbone is keras-hub's: pip install keras-hub ({error.name} is missing)."
        ) from None
    return keras_hub


def _config(path: Path) -> dict[str, Any]:
    """The `model_cfg` of open_clip's config, empty without the file."""
    if not path.is_file():
        return {}
    config = json.loads(path.read_text("utf8"))["model_cfg"]
    unknown = [
        f"{part}.{name}={value}"
        for part, known in _KNOWN.items()
        for name, value in config.get(part, {}).items()
        if name not in known and value
    ]
    if unknown:
        raise ValueError(
            f"Expected a model of the parts that keras-hub's CLIPBackbone has. Received: {path} "
            f"with {listed(unknown)}."
        )
    return config


def _sizes(arrays: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
    """What shapes tell of the two towers; all keys are checked against it."""
    needed = ["visual.conv1.weight", "visual.positional_embedding", "visual.proj"]
    needed += ["positional_embedding", "token_embedding.weight", "text_projection"]
    needed += [f"{tower}transformer.resblocks.0.mlp.c_fc.bias" for tower in ("visual.", "")]
    if not arrays.keys() >= {*needed}:
        raise ValueError(
            f"Expected CLIP's names ({', '.join(needed)}): a vision transformer and CLIP's text "
            f"Transformer. Received: {listed(arrays)}, without "
            f"{listed(name for name in needed if name not in arrays)}."
        )
    width, channels, patch, _ = arrays["visual.conv1.weight"].shape
    positions = len(arrays["visual.positional_embedding"])
    size = patch * math.isqrt(positions - 1)
    vocabulary, dim = arrays["token_embedding.weight"].shape
    length, output_dim = len(arrays["positional_embedding"]), arrays["text_projection"].shape[-1]
    depths, hidden = _depths(arrays), [len(arrays[name]) for name in needed[-2:]]
    expected: dict[str, tuple[int, ...]] = {
        "visual.class_embedding": (width,),
        "visual.positional_embedding": (positions, width),
        "visual.conv1.weight": (width, channels, patch, patch),
        "visual.proj": (width, output_dim),
        "positional_embedding": (length, dim),
        "token_embedding.weight": (vocabulary, dim),
        "text_projection": (dim, output_dim),
        "logit_scale": arrays["logit_scale"].shape if _is_number(arrays) else (),
        **_norm_shapes("visual.ln_pre", width),
        **_norm_shapes("visual.ln_post", width),
        **_norm_shapes("ln_final", dim),
        **_block_shapes("visual.", depths[0], width, hidden[0]),
        **_block_shapes("", depths[1], dim, hidden[1]),
    }
    what = f"a CLIP with {depths[0]} image and {depths[1]} text blocks"
    check_keys({name: array.shape for name, array in arrays.items()}, expected, what)
    shape = (size, size, channels) if channel_axis() == -1 else (channels, size, size)
    vision = {"patch_size": patch, "hidden_dim": width, "image_shape": shape}
    text = {"vocabulary_size": vocabulary, "embedding_dim": dim, "hidden_dim": dim}
    return (
        {**vision, "num_layers": depths[0], "intermediate_dim": hidden[0]},
        {
            **text,
            "num_layers": depths[1],
            "intermediate_dim": hidden[1],
            "max_sequence_length": length,
        },
    )


def _is_number(arrays: Arrays) -> bool:
    """open_clip writes the scale as `()` or as `(1,)`."""
    return "logit_scale" in arrays and arrays["logit_scale"].size == 1


def _depths(arrays: Arrays) -> list[int]:
    return [
        len(
            {
                m[1]
                for name in arrays
                if (m := re.match(rf"{tower}transformer\.resblocks\.(\d+)", name))
            }
        )
        for tower in (r"visual\.", "")
    ]


def _norm_shapes(name: str, dim: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (dim,) for part in ("weight", "bias")}


def _block_shapes(tower: str, depth: int, dim: int, hidden: int) -> dict[str, tuple[int, ...]]:
    block: dict[str, tuple[int, ...]] = {
        "attn.in_proj_weight": (3 * dim, dim),
        "attn.in_proj_bias": (3 * dim,),
        "attn.out_proj.weight": (dim, dim),
        "attn.out_proj.bias": (dim,),
        "mlp.c_fc.weight": (hidden, dim),
        "mlp.c_fc.bias": (hidden,),
        "mlp.c_proj.weight": (dim, hidden),
        "mlp.c_proj.bias": (dim,),
        **_norm_shapes("ln_1", dim),
        **_norm_shapes("ln_2", dim),
    }
    blocks = [f"{tower}transformer.resblocks.{i}." for i in range(depth)]
    return {start + name: shape for start in blocks for name, shape in block.items()}


def _assign(backbone: Any, arrays: Arrays) -> None:
    def norm(name: str) -> list[np.ndarray]:
        return [arrays[f"{name}.weight"], arrays[f"{name}.bias"]]

    def dense(name: str) -> list[np.ndarray]:
        return [arrays[f"{name}.weight"].T, arrays[f"{name}.bias"]]

    vision, text = backbone.vision_encoder, backbone.text_encoder
    embedding, positions = vision.embedding, arrays["visual.positional_embedding"]
    embedding.class_embedding.assign(arrays["visual.class_embedding"])
    embedding.position_ids.assign(np.arange(len(positions))[None])  # zeros until they are set
    kernel = arrays["visual.conv1.weight"].transpose(2, 3, 1, 0)
    embedding.patch_embedding.set_weights([kernel])
    embedding.position_embedding.set_weights([positions])
    text.embedding.token_embedding.set_weights([arrays["token_embedding.weight"]])
    text.embedding.position_embedding.set_weights([arrays["positional_embedding"]])
    vision.pre_layer_norm.set_weights(norm("visual.ln_pre"))
    vision.layer_norm.set_weights(norm("visual.ln_post"))
    text.layer_norm.set_weights(norm("ln_final"))
    for tower, encoder in (("visual.", vision), ("", text)):
        for i, block in enumerate(encoder.encoder_layers):
            name = f"{tower}transformer.resblocks.{i}"
            names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
            parts = [arrays[f"{name}.attn.{part}"] for part in names]
            block.attention.set_weights(attention_weights(encoder.num_heads, *parts))
            block.layer_norm_1.set_weights(norm(f"{name}.ln_1"))
            block.layer_norm_2.set_weights(norm(f"{name}.ln_2"))
            block.dense_1.set_weights(dense(f"{name}.mlp.c_fc"))
            block.dense_2.set_weights(dense(f"{name}.mlp.c_proj"))
    backbone.vision_projection.set_weights([arrays["visual.proj"]])
    backbone.text_projection.set_weights([arrays["text_projection"]])
    backbone.clip_head.logit_scale.assign(arrays["logit_scale"].reshape(()))


def _head(input_dim: int, dense: keras.Layer) -> keras.Sequential:
    return keras.Sequential([keras.Input((input_dim,)), dense], name=f"{dense.name}_head")
