"""A map of the representation: each test image a point, near where its features are alike."""

from typing import Any

import numpy as np

from keras_contrastive.cli.report.pictures import PALETTE, as_rgb, figure_html, new_figure
from keras_contrastive.data import Source

_MOST_CLASSES = len(PALETTE)
_THUMBNAILS = 24


def map_section(untrained: np.ndarray, trained: np.ndarray, shown: Source) -> str:
    """Two maps side by side, of the untrained and of the pretrained encoder."""
    if len(shown) < 5:
        return ""
    figure, axes = new_figure(2, 11, 5.6)
    for axis, features, title in zip(
        axes, (untrained, trained), ("untrained encoder", "pretrained encoder")
    ):
        points = project(features)
        draw_points(axis, points, shown, title)
        _add_thumbnails(axis, points, shown)
    labels, names = _classes(shown)
    if labels is not None:
        handles = [
            axes[0].plot([], [], "o", color=PALETTE[i % len(PALETTE)], label=name)[0]
            for i, name in enumerate(names)
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(len(names), 10), fontsize=9,
            frameon=False,
        )  # fmt: skip
    coloured = "coloured by label; labels played no part in the training" if names else ""
    return f"""<h2>Map of the representation</h2>
<p>t-SNE of the features of {len(shown):,} test images {coloured}. Distances between far groups
mean little; whether neighbours share a class does.</p>
{figure_html(figure, "Maps of the features before and after pretraining")}"""


def project(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Coordinates `(N, 2)` by t-SNE on the cosine distance.

    Raises:
        ImportError: Without scikit-learn.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise ImportError(
            "The map needs scikit-learn: pip install 'keras-contrastive[eval]'."
        ) from None
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    # Of unit vectors the Euclidean order is the cosine order.
    unit = features / np.maximum(norms, 1e-12)
    perplexity = min(30.0, (len(unit) - 1) / 3)
    tsne = TSNE(init="pca", perplexity=perplexity, random_state=seed, max_iter=500)
    return tsne.fit_transform(unit)


def draw_points(axis: Any, points: np.ndarray, shown: Source, title: str) -> None:
    """Points in the colours of their classes."""
    axis.scatter(*points.T, c=_colours(shown), s=16, linewidths=0, alpha=0.8)
    axis.set_title(title, fontsize=11, loc="left", color="#1d2733")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.margins(0.06)


def _add_thumbnails(axis: Any, points: np.ndarray, shown: Source) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    colours = _colours(shown)
    for row in _spread(points, _THUMBNAILS):
        image = as_rgb(shown.images[row])
        box = AnnotationBbox(
            OffsetImage(image, zoom=17 / max(image.shape[:2])),
            points[row],
            pad=0.1,
            bboxprops={"edgecolor": colours[row], "linewidth": 1.2},
        )
        axis.add_artist(box)


def _colours(source: Source) -> list[str]:
    labels, _ = _classes(source)
    indices = np.zeros(len(source), "int64") if labels is None else labels
    return [PALETTE[i % len(PALETTE)] for i in indices]


def _spread(points: np.ndarray, number: int) -> list[int]:
    """Rows far from one another: each the farthest from all before it."""
    chosen = [0]
    distance = np.linalg.norm(points - points[0], axis=1)
    for _ in range(min(number, len(points)) - 1):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen


def _classes(source: Source) -> tuple[np.ndarray | None, list[str]]:
    """Labels and class names, if there are few enough classes for colours."""
    number = source.num_classes
    if source.labels is None or number is None or number > _MOST_CLASSES:
        return None, []
    names = source.class_names or [str(i) for i in range(number)]
    return source.labels, list(names)
