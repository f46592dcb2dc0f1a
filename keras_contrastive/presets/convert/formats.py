"""The projects whose checkpoints are read: where each keeps its encoder and its heads.

Names are regular expressions for the beginning of a key, after the dict that holds the network
(`state_dict`, `model`) has been taken off; a dict that a format names itself ends in a slash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR10 = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
UNCHANGED = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

Renames = tuple[tuple[str, str], ...]

# `torch.nn.Sequential(*list(resnet.children())[:-1])` numbers what torchvision names.
NUMBERED: Renames = (
    (r"0\.(?=weight)", "conv1."),
    (r"1\.(?=\w+$)", "bn1."),
    (r"4\.", "layer1."),
    (r"5\.", "layer2."),
    (r"6\.", "layer3."),
    (r"7\.", "layer4."),
)
# Of lightly's own ResNet for small images, whose rectifiers and pooling are no modules.
NUMBERED_SMALL: Renames = (
    (r"0\.(?=weight)", "conv1."),
    (r"1\.(?=\w+$)", "bn1."),
    (r"2\.", "layer1."),
    (r"3\.", "layer2."),
    (r"4\.", "layer3."),
    (r"5\.", "layer4."),
)
SHORTCUT: Renames = ((r"(layer\d\.\d+\.)shortcut\.", r"\1downsample."),)


@dataclass(frozen=True)
class Format:
    """How a project stores its networks.

    Args:
        name: What `source=` and `--from` call it.
        encoder: Beginning of the encoder's keys.
        signature: What at least one key begins with, for the format to be recognised.
        heads: Role -> beginning of the keys of the head; roles are `projector`, `predictor` and
            `prototypes`. Read where they are in the file.
        left_out: Beginnings of keys that are known and not converted.
        renames: From the encoder's names, without their beginning, to torchvision's.
        normalization: Mean and standard deviation that the project's images had, in [0, 1].
        activation: Between the layers of its heads.
        border: Rows of zeros around the image, before a small stem pads it by itself.
        stem_relu: Whether a small stem ends in a rectifier.
        pool_behind: Whether the pooling of a large stem pads behind alone, as TensorFlow does.
        num_heads: Width of a vision transformer -> its attention heads, which no key tells.
    """

    name: str
    encoder: str
    signature: str
    heads: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    renames: Renames = ()
    normalization: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET
    activation: str = "relu"
    border: int = 0
    stem_relu: bool = True
    pool_behind: bool = False
    num_heads: Mapping[int, int] = field(
        default_factory=lambda: {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16}
    )


_QUERY = r"module\.encoder_q\."
_MOCO = (r"module\.encoder_k\.", r"module\.queue")
_BASE = r"module\.base_encoder\."
_SWAV = {"projector": r"(?:module\.)?projection_head\.", "prototypes": r"(?:module\.)?prototypes\."}
_TEACHER = r"teacher/(?:module\.)?head\."

FORMATS = {
    known.name: known
    for known in (
        # Also the names of timm's ResNets, and of the final files of Barlow Twins, VICReg and
        # DINO's ResNet-50.
        Format("torchvision", "", r"conv1\.", left_out=(r"fc\.",)),
        Format("moco-v1", _QUERY, rf"{_QUERY}fc\.w", {"projector": rf"{_QUERY}fc\.(?=\D)"}, _MOCO),
        Format("moco-v2", _QUERY, rf"{_QUERY}fc\.0", {"projector": rf"{_QUERY}fc\.(?=\d)"}, _MOCO),
        Format(
            "moco-v3",
            _BASE,
            _BASE,
            {"projector": rf"{_BASE}(?:fc|head)\.", "predictor": r"module\.predictor\."},
            (r"module\.momentum_encoder\.",),
            num_heads={384: 12, 768: 12, 1024: 16, 1280: 16},
        ),
        Format(
            "simsiam",
            r"module\.encoder\.",
            r"module\.encoder\.",
            {"projector": r"module\.encoder\.fc\.", "predictor": r"module\.predictor\."},
        ),
        Format("swav", r"(?:module\.)?", r"(?:module\.)?projection_head\.", _SWAV),
        Format(
            "barlow-twins",
            r"module\.backbone\.",
            r"module\.bn\.",
            {"projector": r"module\.projector\."},
            (r"module\.bn\.",),
        ),
        Format(
            "vicreg",
            r"module\.backbone\.",
            r"module\.projector\.0\.bias",
            {"projector": r"module\.projector\."},
        ),
        Format(
            "directclr",
            r"(?:backbone/|module\.backbone\.)",
            r"(?:head/|module\.online_head\.)",
            {"projector": r"module\.projector\."},
            (r"head/", r"module\.online_head\."),
        ),
        Format(
            "dino",
            r"(?:teacher/)?(?:module\.)?(?:backbone\.)?",
            r"(?:teacher/|cls_token)",
            {"projector": rf"{_TEACHER}mlp\.", "prototypes": rf"{_TEACHER}last_layer\."},
            (r"student/", r"dino_loss/", r"fp16_scaler/", r"fc\.", r"head\."),
            activation="gelu",
        ),
        Format(
            "mae",
            "",
            r"(?:decoder_|cls_token)",
            left_out=(r"decoder_", r"mask_token", r"head\."),
        ),
        Format("timm", "", r"cls_token", left_out=(r"head\.",), normalization=HALF),
        Format(
            "supcontrast",
            r"encoder\.(?:module\.)?",
            r"encoder\..*shortcut",
            {"projector": r"head\."},
            renames=SHORTCUT,
            normalization=CIFAR10,
        ),
        # Converted from TensorFlow: torchvision's names, images in [0, 1] as they are. No key
        # tells it from torchvision, so it has to be asked for.
        Format("simclr", "", r"(?!)", left_out=(r"fc\.",), normalization=UNCHANGED),
        Format(
            "simclr-tf",
            r"base_model\.",
            r"base_model\.",
            {"projector": r"head_contrastive\."},
            (r"head_supervised/", r"ema_model/", r"global_step", r".+/Momentum"),
            normalization=UNCHANGED,
            pool_behind=True,
        ),
        Format(
            "simclr-sthalles",
            r"backbone\.",
            r"backbone\.fc\.",
            {"projector": r"backbone\.fc\."},
            normalization=UNCHANGED,
        ),
        Format(
            "byol-lucidrains",
            r"(?:module\.)?online_encoder\.net\.",
            r"(?:module\.)?online_encoder\.",
            {
                "projector": r"(?:module\.)?online_encoder\.projector\.",
                "predictor": r"(?:module\.)?online_predictor\.",
            },
            (
                r"(?:module\.)?net\.",  # the same network once more
                r"(?:module\.)?online_encoder\.net\.fc\.",
                r"(?:module\.)?target_encoder\.",
            ),
        ),
        Format(
            "byol-sthalles",
            r"online_network_state_dict/encoder\.",
            r"online_network_state_dict/",
            {"projector": r"online_network_state_dict/projetion\.net\."},  # its spelling
            (r"encoder_state_dict/", r"target_network_state_dict/"),
            renames=NUMBERED,
            normalization=UNCHANGED,
        ),
        Format(
            "solo-learn",
            r"(?:backbone|encoder)\.",
            r"classifier\.",
            {
                "projector": r"projector\.",
                "predictor": r"predictor\.",
                "prototypes": r"prototypes\.",
            },
            (r"classifier\.", r"momentum_", r"queue", r"knn\."),
            border=1,
        ),
        Format(
            "lightly",
            r"backbone\.",
            r"backbone\.7\.",
            {
                "projector": r"projection_head\.(?:layers\.)?",
                "predictor": r"prediction_head\.(?:layers\.)?",
                "prototypes": r"prototypes\.(?:heads\.0\.)?",
            },
            (r"backbone_momentum\.", r"projection_head_momentum\.", r"criterion\."),
            renames=NUMBERED,
        ),
        Format(
            "lightly-small",
            r"backbone\.",
            r"backbone\.2\.",
            {
                "projector": r"projection_head\.(?:layers\.)?",
                "predictor": r"prediction_head\.(?:layers\.)?",
                "prototypes": r"prototypes\.(?:heads\.0\.)?",
            },
            (r"backbone_momentum\.", r"projection_head_momentum\.", r"criterion\."),
            renames=NUMBERED_SMALL + SHORTCUT,
            stem_relu=False,  # a function in lightly's ResNet, so that the Sequential lacks it
        ),
    )
}
