"""Writes torchvision.npz beside this file: what torchvision's functions give for two small images.

Run it in an environment with torch and torchvision. Names are `<function>/<number>`; arguments of
each call stand in `arguments`, as JSON by name.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torchvision
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode

BILINEAR, BICUBIC = InterpolationMode.BILINEAR, InterpolationMode.BICUBIC

CALLS = {
    "resized_crop": [
        {"top": t, "left": left, "height": h, "width": w, "size": size, "interpolation": kind}
        for t, left, h, w in ((0, 0, 24, 20), (3, 5, 17, 9), (10, 2, 5, 6))
        for size in ((8, 8), (16, 12))
        for kind in ("bilinear", "bicubic")
    ],
    "gaussian_blur": [{"kernel_size": k, "sigma": s} for k, s in ((3, 0.5), (7, 1.3), (7, 0.2))],
    "adjust_brightness": [{"factor": f} for f in (0.3, 1.6)],
    "adjust_contrast": [{"factor": f} for f in (0.3, 1.7)],
    "adjust_saturation": [{"factor": f} for f in (0.0, 0.2, 1.8)],
    "adjust_hue": [{"factor": f} for f in (-0.5, -0.21, 0.0, 0.13, 0.4)],
    "grayscale": [{}],
    "solarize": [{"threshold": 0.5}],
    "rotate": [{"angle": a} for a in (33.0, -70.0)],
    "affine": [
        {"angle": 20.0, "translate": (3, -2), "scale": 1.2, "shear": 10.0},
        {"angle": -8.0, "translate": (0, 4), "scale": 0.7, "shear": -25.0},
        {"angle": 0.0, "translate": (0, 0), "scale": 1.0, "shear": 30.0},
    ],
}


def call(name, images, a):
    if name == "resized_crop":
        kind = {"bilinear": BILINEAR, "bicubic": BICUBIC}[a["interpolation"]]
        box = (a["top"], a["left"], a["height"], a["width"])
        return F.resized_crop(images, *box, list(a["size"]), kind, antialias=True).clip(0, 1)
    if name == "gaussian_blur":
        return F.gaussian_blur(images, a["kernel_size"], a["sigma"])
    if name == "grayscale":
        return F.rgb_to_grayscale(images, 3)
    if name == "solarize":
        return F.solarize(images, a["threshold"])
    if name == "rotate":
        return F.rotate(images, a["angle"], BILINEAR)
    if name == "affine":
        shear = [a["shear"], 0.0]
        return F.affine(images, a["angle"], list(a["translate"]), a["scale"], shear, BILINEAR)
    return getattr(F, name)(images, a["factor"])


def main():
    noise = torch.rand((2, 3, 24, 20), generator=torch.Generator().manual_seed(0))
    images = F.gaussian_blur(noise, 3, 0.8)
    images = (images - images.amin()) / (images.amax() - images.amin())
    images[1, :, :4] = images[1, :1, :4]  # some gray pixels
    arrays = {"images": images.numpy(), "version": np.array(torchvision.__version__)}
    for name, calls in CALLS.items():
        for i, arguments in enumerate(calls):
            arrays[f"{name}/{i}"] = call(name, images, arguments).numpy()
    arrays["arguments"] = np.array(json.dumps(CALLS))
    np.savez_compressed(Path(__file__).with_name("torchvision.npz"), **arrays)


if __name__ == "__main__":
    main()
