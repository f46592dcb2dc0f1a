"""Pictures inside the page: arrays as PNG, figures as SVG."""

import base64
import io
from html import escape
from typing import Any

import numpy as np

# Okabe and Ito's colours and four more: told apart under the common colour-vision deficiencies.
PALETTE = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9",
    "#cc79a7", "#8c6d1f", "#6b5b95", "#333333", "#9aa5b1",
]  # fmt: skip


def new_figure(columns: int, width: float, height: float) -> tuple[Any, list[Any]]:
    """A matplotlib figure with a row of axes, without any window behind it.

    Raises:
        ImportError: Without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "The report needs matplotlib: pip install 'keras-contrastive[plot]'."
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color("#b8c2cc")
        axis.tick_params(colors="#5d6b7a", labelsize=8)
    return figure, list(axes)


def figure_html(figure: Any, alt: str) -> str:
    """A figure as an `img` with its SVG inside."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return f'<img class="figure" alt="{escape(alt)}" src="{_uri(buffer, "svg+xml")}">'


def shot_html(image: np.ndarray, caption: str = "", kind: str = "") -> str:
    """A small picture with a caption; `kind` is a class of the page's style."""
    pixels = "pixels" if max(image.shape[:2]) < 72 else ""
    return (
        f'<div class="shot {kind}"><img class="{pixels}" alt="{escape(caption)}" '
        f'src="{_png_uri(image)}">{escape(caption)}</div>'
    )


def as_rgb(image: np.ndarray) -> np.ndarray:
    """An image as `(H, W, 3)` floats in 0 to 1."""
    image = image / 255.0 if image.dtype == np.uint8 else image
    image = image[..., :3] if image.shape[-1] >= 3 else np.repeat(image[..., :1], 3, axis=-1)
    return np.clip(image, 0.0, 1.0)


def _png_uri(image: np.ndarray) -> str:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, as_rgb(image), format="png")
    return _uri(buffer, "png")


def _uri(buffer: io.BytesIO, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
