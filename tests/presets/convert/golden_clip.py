"""Writes golden/clip*.npz: features and logits of open_clip's own modules.

    pip install open_clip_torch && python tests/presets/convert/golden_clip.py

Each file has what a tiny CLIP gives for three images and texts, in inference mode, and the name and
shape of every tensor; the weights follow from these (`weights.py`). Images are normalised.
"""

import json
import pathlib

import numpy as np
import open_clip
import torch
from open_clip.model import CLIP, CustomTextCLIP
from weights import images, weights

FOLDER = pathlib.Path(__file__).parent / "golden"
VERSIONS = {p.__name__: p.__version__ for p in (torch, open_clip)}
MEAN, STD = (
    np.array(values) for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
)
PARTS = {
    "embed_dim": 20,
    "vision_cfg": {"image_size": 16, "layers": 2, "width": 32, "patch_size": 8, "head_width": 8},
    "text_cfg": {"context_length": 7, "vocab_size": 30, "width": 24, "heads": 3, "layers": 2},
}
TOKEN_IDS = np.array([[28, 3, 4, 29, 0, 0, 0], [28, 5, 29, 0, 0, 0, 0], [28, 1, 2, 3, 4, 5, 29]])
CASES = {
    "clip_quick_gelu": lambda: CLIP(**PARTS, quick_gelu=True),
    "clip_gelu": lambda: CustomTextCLIP(**PARTS, quick_gelu=False),
}


def outputs(network):
    shapes = {k: list(v.shape) for k, v in network.state_dict().items()}
    made = {k: torch.from_numpy(np.asarray(v)) for k, v in weights(shapes).items()}
    network.load_state_dict(made)
    batch = ((images(16) - MEAN) / STD).transpose(0, 3, 1, 2)
    pixels, ids = torch.from_numpy(batch).float(), torch.from_numpy(TOKEN_IDS)
    with torch.no_grad():
        network.eval()
        found = {
            "image_features": network.encode_image(pixels),
            "text_features": network.encode_text(ids),
            "logits": network.get_logits(pixels, ids)[0],
        }
    return shapes, {name: tensor.numpy() for name, tensor in found.items()}


if __name__ == "__main__":
    for name, make in CASES.items():
        shapes, expected = outputs(make())
        print(name, len(shapes), {k: (v.shape, v.std()) for k, v in expected.items()})
        np.savez_compressed(
            FOLDER / f"{name}.npz",
            **expected,
            token_ids=TOKEN_IDS.astype("int32"),
            shapes=json.dumps(shapes),
            versions=json.dumps(VERSIONS),
        )
