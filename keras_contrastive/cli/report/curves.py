"""Training curves."""

from keras_contrastive.cli.history import column
from keras_contrastive.cli.report.pictures import PALETTE, figure_html, new_figure

_CURVES = {
    "loss": "loss",
    "knn_accuracy": "kNN accuracy, %",
    "effective_rank": "effective rank",
    "representation_std": "std of the representation",
}


def curves_section(rows: list[dict[str, float]]) -> str:
    """Loss, kNN accuracy, rank and spread over the epochs."""
    names = [name for name in _CURVES if column(rows, name)[1]]
    if not names:
        return ""
    figure, axes = new_figure(len(names), 11, 2.7)
    for axis, name in zip(axes, names):
        epochs, values = column(rows, name)
        if name == "knn_accuracy":
            values = [100 * value for value in values]
        axis.plot(epochs, values, color=PALETTE[0], linewidth=1.8, marker=_marker(values))
        axis.set_title(_CURVES[name], fontsize=10, loc="left", color="#1d2733")
        axis.set_xlabel("epoch", fontsize=8, color="#5d6b7a")
        axis.annotate(
            f"{values[-1]:.3g}",
            (epochs[-1], values[-1]),
            textcoords="offset points",
            xytext=(-2, 7),
            ha="right",
            fontsize=9,
            color=PALETTE[0],
            fontweight="bold",
        )
        axis.grid(axis="y", color="#eef1f4")
        axis.set_axisbelow(True)
        axis.margins(y=0.15)
        if name == "representation_std":
            axis.set_ylim(0, max(1.05, 1.15 * max(values)))
            axis.axhline(1, color="#b8c2cc", linewidth=0.8, linestyle="--")
    return f"""<h2>Training</h2>
<p>kNN accuracy is that of held-out training images. A rank that falls towards 1, or a std that
falls towards 0, would mean a collapsed representation; the std is at most 1 (dashed).</p>
{figure_html(figure, "Training curves: " + ", ".join(_CURVES[name] for name in names))}"""


def _marker(values: list[float]) -> str | None:
    return "o" if len(values) < 4 else None
