"""ReSSL: a strong view must relate to a queue of images as the weak view does."""

from functools import partial
from typing import Any

import keras

from keras_contrastive.layers import moco_v2_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import ReSSLLoss
from keras_contrastive.methods.moco import MoCo
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ReSSL(MoCo):
    """Relational self-supervised learning with weak augmentation.

    MoCo's networks and queue under another loss: the student sees a strong view, the teacher, an
    exponential moving average of it, a weak one; the student's similarities to the queue must
    follow the teacher's. Nothing repels.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views, the strong one first, such as
            `keras_contrastive.augmentation.ressl_views()`; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (4096 hidden, 512 out, no batch normalisation).
        loss: A loss of `((keys, others), queries)`; `None` for `ReSSLLoss()`, with temperatures
            0.1 and 0.04.
        queue_size: Number of keys kept, default 131072 (4096 suits CIFAR-10).
        momentum: Of the teacher, a number in 0 to 1 or a function of the step; default 0.999
            (0.99 suits short runs).
        shuffle_splits: As in `MoCo`.
        seed: Seed of the queue's first rows and of the shuffling.
        probe_classes: Number of classes of the online linear probe; `None` for none.
        **kwargs: As in `MoCo`.

    Logs: loss, contrastive_accuracy (share of strong views nearer to their weak view than to the
    whole queue), momentum, representation_std, effective_rank, projection_std, projection_rank and
    probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.ReSSL(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.ressl_views(size=16, blur=0.0),
    ...     queue_size=32,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> int(method.queue.position)
    16

    Differs from the reference: queue and batch may be of any size.

    Reference:
        Zheng et al., "ReSSL: Relational Self-Supervised Learning with Weak Augmentation", 2021,
        algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        queue_size: int = 131072,
        momentum: Momentum = 0.999,
        shuffle_splits: int = 1,
        seed: int = 0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        default = partial(moco_v2_projector, hidden_dim=4096, output_dim=512)
        super().__init__(
            encoder,
            augmentation,
            default if projector is None else projector,
            loss or ReSSLLoss(),
            queue_size,
            momentum,
            shuffle_splits=shuffle_splits,
            seed=seed,
            probe_classes=probe_classes,
            **kwargs,
        )
