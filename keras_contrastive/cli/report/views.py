"""What the method was shown: images and their augmented views."""

import numpy as np
from keras import ops

from keras_contrastive.augmentation import Views
from keras_contrastive.cli.report.pictures import shot_html

_IMAGES, _DRAWS = 6, 4


def views_section(views: Views, images: np.ndarray) -> str:
    """Rows of an image and several draws of its views."""
    images = images[np.random.default_rng(1).permutation(len(images))[:_IMAGES]]
    draws = [
        ops.convert_to_numpy(view) for _ in range(_DRAWS) for view in views(images)[:2]
    ]  # each (N, H, W, C)
    rows = [
        f'<div class="row">{shot_html(image, "original", "query")}<div class="gap"></div>'
        f"{''.join(shot_html(draw[i]) for draw in draws)}</div>"
        for i, image in enumerate(images)
    ]
    return f"""<h2>Augmented views</h2>
<p>Training images, and views of them as the method was shown them. Two views of one image are to
get similar features, so the encoder learns to ignore what differs here.</p>
{"".join(rows)}"""
