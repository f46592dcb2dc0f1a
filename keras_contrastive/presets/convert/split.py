"""Which keys of a checkpoint are the encoder's, which a head's, and which format that is."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from keras_contrastive.presets.convert.formats import FORMATS, Format
from keras_contrastive.presets.convert.keys import listed

# The dict that holds the network, and what torch.compile puts in front of every name.
_AROUND = re.compile(r"^(?:(?:state_dict|model)/)?(?:_orig_mod\.)?")
_COUNTER = "num_batches_tracked"
_RESNET = r"(?:conv1|bn1|layer\d\.\d+\.(?:conv\d|bn\d|downsample\.[01]))\.\w+"
_VIT = r"(?:cls_token|pos_embed|(?:patch_embed|norm|blocks\.\d+)\..+)"
_KNOWN = re.compile(f"{_RESNET}|{_VIT}")


@dataclass
class Parts:
    """Where the names of a checkpoint belong.

    Args:
        encoder: Name in torchvision's or timm's network -> name in the checkpoint.
        heads: Role -> name within the head -> name in the checkpoint.
        left_out: Names in the checkpoint that are known and not converted.
        unknown: Names in the checkpoint that the format does not know.
    """

    encoder: dict[str, str] = field(default_factory=dict)
    heads: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def put(self, network: dict[str, str], place: str, name: str) -> None:
        """Note a name of the checkpoint, unless another has its place: a second network."""
        if place in network:
            self.unknown.append(name)
        else:
            network[place] = name


def split(names: Iterable[str], source: Format) -> Parts:
    """Sort the names of a checkpoint by what they belong to."""
    parts = Parts()
    for name in names:
        bare = _AROUND.sub("", name)
        roles = [role for role, start in source.heads.items() if re.match(start, bare)]
        encoder = re.match(source.encoder, bare)
        if bare.endswith(_COUNTER) or any(re.match(start, bare) for start in source.left_out):
            parts.left_out.append(name)
        elif roles:
            rest = re.sub(f"^{source.heads[roles[0]]}", "", bare)
            parts.put(parts.heads.setdefault(roles[0], {}), rest, name)
        elif encoder:
            parts.put(parts.encoder, _renamed(bare[encoder.end() :], source), name)
        else:
            parts.unknown.append(name)
    return parts


def _renamed(name: str, source: Format) -> str:
    for start, replacement in source.renames:
        name = re.sub(f"^{start}", replacement, name)
    return name


def find_format(names: Iterable[str], source: str | None) -> Format:
    """The format of this name, or the one that explains every key.

    Raises:
        ValueError: On an unknown name, and where no format or several explain the keys.
    """
    if source is None:
        return _recognised(list(names))
    if source not in FORMATS:
        near = difflib.get_close_matches(source, FORMATS, n=1, cutoff=0.4)
        raise ValueError(
            f"Expected one of the known formats: {', '.join(FORMATS)}. Received: {source!r}."
            + (f" Did you mean {near[0]!r}?" if near else "")
        )
    return FORMATS[source]


def _recognised(names: list[str]) -> Format:
    bare = [_AROUND.sub("", name) for name in names]
    fitting = [
        known
        for known in FORMATS.values()
        if any(re.match(known.signature, name) for name in bare) and _explains(known, names)
    ]
    if not fitting:
        raise ValueError(
            f"Expected keys of a known format ({', '.join(FORMATS)}). Received: {listed(names)}. "
            f"Name the format with `source` (on the command line, --from) to see which keys do "
            f"not fit it, or convert the network's own state_dict() with torchvision's names."
        )
    if len(fitting) > 1:
        raise ValueError(
            f"Expected keys that tell the format. Received: those of "
            f"{' and '.join(known.name for known in fitting)}, which differ in more than their "
            f"keys: how images were normalised, or the number of attention heads. Name it with "
            f"`source` (on the command line, --from)."
        )
    return fitting[0]


def _explains(known: Format, names: list[str]) -> bool:
    parts = split(names, known)
    return (
        bool(parts.encoder)
        and not parts.unknown
        and all(_KNOWN.fullmatch(name) for name in parts.encoder)
    )
