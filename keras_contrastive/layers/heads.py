"""The projection and prediction heads of the papers: small multi-layer perceptrons."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

Head: TypeAlias = keras.Model | Callable[[int], keras.Model] | None


def batch_norm(**kwargs: object) -> keras.layers.BatchNormalization:
    """Batch normalisation with the constants of the reference implementations.

    Keras' own defaults (epsilon 1e-3, momentum 0.99) change every method built on them.

    Returns:
        A `keras.layers.BatchNormalization` with epsilon 1e-5 and momentum 0.9.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.batch_norm().epsilon
    1e-05
    """
    return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, **kwargs)


def _mlp(input_dim: int, layers: list[keras.layers.Layer], name: str) -> keras.Sequential:
    return keras.Sequential([keras.Input((input_dim,)), *layers], name=name)


def _hidden(dim: int, normalized: bool = True, use_bias: bool = True) -> list[keras.layers.Layer]:
    dense, relu = keras.layers.Dense(dim, use_bias=use_bias), keras.layers.ReLU()
    return [dense, batch_norm(), relu] if normalized else [dense, relu]


def simclr_v1_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """SimCLR's head: Dense-BN-ReLU, Dense-BN.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer; `None` for `input_dim`, as with a ResNet-50.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.simclr_v1_projector(64).output_shape
    (None, 128)

    Reference:
        Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
    """
    last = [keras.layers.Dense(output_dim, use_bias=False), batch_norm()]
    return _mlp(input_dim, [*_hidden(hidden_dim or input_dim), *last], "projector")


def simclr_v2_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """SimCLR v2's head of three layers: twice Dense-BN-ReLU, then Dense-BN.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers; `None` for `input_dim`.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> len(layers.simclr_v2_projector(64).layers)
    8

    Reference:
        Chen et al., "Big Self-Supervised Models are Strong Semi-Supervised Learners", 2020.
    """
    width = hidden_dim or input_dim
    last = [keras.layers.Dense(output_dim, use_bias=False), batch_norm()]
    return _mlp(input_dim, [*_hidden(width), *_hidden(width), *last], "projector")


def moco_v1_projector(input_dim: int, output_dim: int = 128) -> keras.Sequential:
    """MoCo v1's head: a single linear layer.

    Args:
        input_dim: Dimension of the encoder's features.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v1_projector(64).count_params()
    8320

    Reference:
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020.
    """
    return _mlp(input_dim, [keras.layers.Dense(output_dim)], "projector")


def moco_v2_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """MoCo v2's head: Dense-ReLU-Dense, without batch normalisation.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer; `None` for `input_dim`.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v2_projector(64).count_params()
    12480

    Reference:
        Chen et al., "Improved Baselines with Momentum Contrastive Learning", 2020.
    """
    hidden = _hidden(hidden_dim or input_dim, normalized=False)
    return _mlp(input_dim, [*hidden, keras.layers.Dense(output_dim)], "projector")


def byol_mlp(
    input_dim: int, hidden_dim: int = 4096, output_dim: int = 256, name: str = "projector"
) -> keras.Sequential:
    """BYOL's projector, and its predictor: Dense-BN-ReLU, Dense without bias.

    Args:
        input_dim: Dimension of the features, or of the projections for the predictor.
        hidden_dim: Width of the hidden layer, 4096 in the paper.
        output_dim: Dimension of the projections, 256 in the paper.
        name: Name of the model.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.byol_mlp(64, hidden_dim=32, output_dim=16).output_shape
    (None, 16)

    Reference:
        Grill et al., "Bootstrap Your Own Latent", 2020, section 3.3.
    """
    last = keras.layers.Dense(output_dim, use_bias=False)
    return _mlp(input_dim, [*_hidden(hidden_dim), last], name)


def moco_v3_mlp(
    input_dim: int,
    hidden_dim: int = 4096,
    output_dim: int = 256,
    num_hidden: int = 1,
    last_norm: bool = True,
    name: str = "projector",
) -> keras.Sequential:
    """MoCo v3's projector, and its predictor: Dense-BN-ReLU, Dense-BN, all without biases.

    The last batch normalisation has no scale and offset.

    Args:
        input_dim: Dimension of the features, or of the projections for the predictor.
        hidden_dim: Width of the hidden layers, 4096 in the paper.
        output_dim: Dimension of the projections, 256 in the paper.
        num_hidden: Number of hidden layers; 1 in the paper, 2 for the projector of a ViT.
        last_norm: Whether the last layer is normalised; `False` for the predictor of a ResNet.
        name: Name of the model.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v3_mlp(64, hidden_dim=32, output_dim=16).count_params()
    2720

    Reference:
        Chen et al., "An Empirical Study of Training Self-Supervised Vision Transformers", 2021.
    """
    layers: list[keras.layers.Layer] = []
    for _ in range(num_hidden):
        layers += _hidden(hidden_dim, use_bias=False)
    layers.append(keras.layers.Dense(output_dim, use_bias=False))
    if last_norm:
        layers.append(batch_norm(center=False, scale=False))
    return _mlp(input_dim, layers, name)


def simsiam_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 2048, num_hidden: int = 2
) -> keras.Sequential:
    """SimSiam's projector: twice Dense-BN-ReLU, Dense-BN; no biases, no scale at the end.

    It is MoCo v3's with one hidden layer more.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers, 2048 in the paper.
        output_dim: Dimension of the projections, 2048 in the paper.
        num_hidden: Number of hidden layers, 2 in the paper; 1 for CIFAR-10.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> len(layers.simsiam_projector(64, hidden_dim=32, output_dim=32).layers)
    8

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, section 3.
    """
    return moco_v3_mlp(input_dim, hidden_dim, output_dim, num_hidden)


def simsiam_predictor(
    input_dim: int, hidden_dim: int = 512, output_dim: int | None = None
) -> keras.Sequential:
    """SimSiam's predictor, a bottleneck: Dense-BN-ReLU, Dense with a bias.

    Args:
        input_dim: Dimension of the projections.
        hidden_dim: Width of the hidden layer, a quarter of the projections' in the paper.
        output_dim: Dimension of the predictions; `None` for that of the projections.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.simsiam_predictor(64, hidden_dim=16).output_shape
    (None, 64)

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, section 3.
    """
    last = keras.layers.Dense(output_dim or input_dim)
    return _mlp(input_dim, [*_hidden(hidden_dim, use_bias=False), last], "predictor")


def swav_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 128
) -> keras.Sequential:
    """SwAV's head: Dense-BN-ReLU, Dense; the prototypes bring its output to unit length.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer, 2048 in the paper.
        output_dim: Dimension of the embeddings, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.swav_projector(64).output_shape
    (None, 128)

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020.
    """
    return _mlp(input_dim, [*_hidden(hidden_dim), keras.layers.Dense(output_dim)], "projector")


def dino_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 256, normalized: bool = False
) -> keras.Sequential:
    """DINO's head up to its bottleneck: twice Dense-GELU, Dense.

    The last layer of the paper's head, on the bottleneck at unit length, is
    `keras_contrastive.layers.WeightNormPrototypes`, which the method itself adds.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers, 2048 in the paper.
        output_dim: Width of the bottleneck, 256 in the paper.
        normalized: Whether batch normalisation comes before each GELU, as the paper has it for
            a ResNet, or not, as for a vision transformer.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.dino_projector(64).output_shape
    (None, 256)

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021,
        appendix C.
    """
    layers: list[keras.layers.Layer] = []
    for _ in range(2):
        layers.append(_dino_dense(hidden_dim))
        layers += [batch_norm()] if normalized else []
        layers.append(keras.layers.Activation("gelu"))
    return _mlp(input_dim, [*layers, _dino_dense(output_dim)], "projector")


def _dino_dense(dim: int) -> keras.layers.Dense:
    start = keras.initializers.TruncatedNormal(stddev=0.02)
    return keras.layers.Dense(dim, kernel_initializer=start)


def barlow_twins_projector(
    input_dim: int, hidden_dim: int = 8192, output_dim: int = 8192
) -> keras.Sequential:
    """Barlow Twins' head: twice Dense-BN-ReLU, then Dense, all without biases; MMCR's with 512 out.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the two hidden layers, 8192 in the paper.
        output_dim: Dimension of the projections, 8192 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.barlow_twins_projector(64, hidden_dim=32, output_dim=16).count_params()
    3840

    Reference:
        Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", 2021.
    """
    hidden = [layer for _ in range(2) for layer in _hidden(hidden_dim, use_bias=False)]
    last = keras.layers.Dense(output_dim, use_bias=False)
    return _mlp(input_dim, [*hidden, last], "projector")


def vicreg_projector(
    input_dim: int, hidden_dim: int = 8192, output_dim: int = 8192
) -> keras.Sequential:
    """VICReg's expander: twice Dense-BN-ReLU, then Dense without bias.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the two hidden layers, 8192 in the paper.
        output_dim: Dimension of the projections, 8192 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.vicreg_projector(64, hidden_dim=32, output_dim=16).count_params()
    3904

    Reference:
        Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", 2022, section 4.2.
    """
    last = keras.layers.Dense(output_dim, use_bias=False)
    return _mlp(input_dim, [*_hidden(hidden_dim), *_hidden(hidden_dim), last], "projector")


def build_head(head: Head, default: Callable[[int], keras.Model], input_dim: int) -> keras.Model:
    """Turns a method's head argument into a built model.

    Args:
        head: A Keras model that takes `(N, input_dim)`, a function from the input dimension to
            such a model, or `None` for the paper's.
        default: The paper's head, a function from the input dimension to a model.
        input_dim: Dimension of what enters the head.

    Returns:
        A built Keras model.

    Raises:
        ValueError: If the head expects another input dimension.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.build_head(None, layers.moco_v1_projector, 64).output_shape
    (None, 128)
    """
    model: Any = default if head is None else head
    if not isinstance(model, keras.Layer):
        model = model(input_dim)
    if not model.built:
        model.build((None, input_dim))
    if model.input_shape[-1] != input_dim:
        raise ValueError(
            f"Expected a head that takes vectors of dimension {input_dim}, the output of what it "
            f"stands on. Received: '{model.name}' with input shape {model.input_shape}. Pass a "
            "function such as `keras_contrastive.layers.simclr_v2_projector` to have it sized."
        )
    return model
