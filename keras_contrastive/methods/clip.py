"""CLIP and SigLIP: images and their texts find each other."""

import warnings
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.encoders import as_encoder, check_token_ids
from keras_contrastive.layers import (
    LearnedBias,
    LearnedTemperature,
    ScheduledTemperature,
    build_head,
    clip_projector,
)
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import InfoNCE
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.methods.inputs import check_views, is_array
from keras_contrastive.methods.pairs import (
    as_token_ids,
    check_captions,
    check_pairs,
    pair_of,
)
from keras_contrastive.methods.zero_shot import class_embeddings, cosine_classifier
from keras_contrastive.ops import as_unit_range, matching_accuracy
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CLIP(ContrastiveMethod):
    """Contrastive language-image pretraining: one space for images and texts.

    Two towers and two projections; each image must pick its text among those of the batch, and
    each text its image. A tower with `trainable = False` is locked (LiT): it infers, without
    dropout and batch statistics, and gets no gradient. SigLIP is another loss:

        kc.CLIP(..., loss=kc.losses.SigLIP(
            kc.layers.LearnedTemperature(0.1), kc.layers.LearnedBias(-10.0)))

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        text_encoder: A built Keras model from token ids `(N, L)`, or a dict of arrays, to features
            `(N, D)`; sequences `(N, L, D)` are averaged, under their mask where they carry one.
        augmentation: A layer from images to one view, such as `keras_contrastive.augmentation
            .Views([layers])`; `None` for the images themselves.
        image_projector: A Keras model on the image features, a function from their dimension to
            one, or `None` for the paper's, to 512 dimensions without a bias.
        text_projector: The same on the text features.
        loss: A loss of `(texts, images)`; `None` for the paper's, `InfoNCE` in both directions
            with a learned temperature that starts at 0.07 and stays above 0.01.
        tokenizer: A function from a list of N strings to token ids `(N, L)`, or to a dict of
            arrays; `None` for the text encoder's own, if it has a `tokenizer`. It is saved with
            the method if it has a `get_config`.
        probe_classes: Number of classes of the online linear probe on the image features; `None`
            for none.

    Raises:
        ValueError: If the projections differ in dimension, or the loss has another temperature for
            each pair. In `fit`, on what are not images and a text for each, on empty texts, and on
            arrays of token ids beyond the vocabulary (a data set is not looked at).

    Logs: loss, contrastive_accuracy (share of images nearer to their text than to every other of
    the batch), relative_loss (loss / ln N: with InfoNCE, 1 is chance whatever the batch), scale
    (the inverse temperature, which the cosines are multiplied by), representation_std,
    effective_rank, projection_std and projection_rank (all of the images), and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.CLIP(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.encoders.text_transformer(max_length=32, num_layers=1, dim=16),
    ...     tokenizer=kc.encoders.ByteTokenizer(max_length=32),
    ... )
    >>> method.compile("adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> captions = ["a cat", "two dogs"] * 8
    >>> history = method.fit((images, captions), batch_size=8, verbose=0)
    >>> method.embed_images(images).shape, method.embed_texts(captions).shape
    ((16, 512), (16, 512))
    >>> method.zero_shot_classifier(["cat", "dog"], ["a {}", "two {}s"]).output_shape
    (None, 2)

    Differs from the reference: the projections start as Keras' layers do. Weight decay should leave
    out scale and bias: `optimizer.exclude_from_weight_decay(var_names=["log_scale"])`.

    Reference:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021, figure 3; Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023; Zhai et
        al., "LiT: Zero-Shot Transfer with Locked-image text Tuning", 2022.
    """

    def __init__(
        self,
        encoder: keras.Model,
        text_encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        image_projector: Head = None,
        text_projector: Head = None,
        loss: keras.losses.Loss | None = None,
        tokenizer: Callable[[list[str]], Any] | None = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or InfoNCE(LearnedTemperature(), symmetric=True),
            num_views=1,
            logs=["contrastive_accuracy", "relative_loss", "scale"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.text_encoder = as_encoder(text_encoder)
        self.tokenizer = tokenizer
        text_dim = self.text_encoder.output_shape[-1]
        self.image_projector = build_head(image_projector, clip_projector, self.feature_dim)
        self.text_projector = build_head(text_projector, clip_projector, text_dim)
        dims = [head.output_shape[-1] for head in (self.image_projector, self.text_projector)]
        if dims[0] != dims[1]:
            raise ValueError(
                "Expected projections of images and texts to the same dimension. "
                f"Received: {dims[0]} and {dims[1]}."
            )
        temperature = getattr(self.contrastive_loss, "temperature", None)
        if not isinstance(temperature, (int, float, LearnedTemperature, ScheduledTemperature)):
            raise ValueError(
                "Expected a loss with one temperature for all pairs: a number, or a "
                "LearnedTemperature or ScheduledTemperature of keras_contrastive.layers. "
                f"Received: {self.contrastive_loss!r} with temperature={temperature!r}."
            )

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        images, texts = views
        features = self.tower(self.encoder, images, training)  # (N, D)
        text_features = self.tower(self.text_encoder, texts, training)
        z_image = self.image_projector(features, training=training)  # (N, d)
        z_text = self.text_projector(text_features, training=training)
        loss = self.loss_of(z_text, z_image, index, training=training)
        chance = ops.log(ops.cast(ops.maximum(ops.shape(z_image)[0], 2), "float32"))
        return {
            "loss": loss,
            "features": features,
            "projections": [z_image, z_text],
            "contrastive_accuracy": matching_accuracy(z_image, z_text),
            "relative_loss": ops.mean(loss) / chance,
            "scale": self.scale,
        }

    def tower(self, encoder: keras.Model, inputs: Any, training: bool) -> Tensor:
        """Features of images or texts as `encode` gives them; a locked tower infers.

        Args:
            encoder: The tower.
            inputs: A batch of images, token ids or dicts of arrays.
            training: Whether this is a training step.

        Returns:
            A tensor `(N, D)`.
        """
        return self.encode(inputs, training and bool(encoder.trainable_variables), encoder)

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by: the inverse temperature, a scalar."""
        temperature = self.contrastive_loss.temperature
        is_number = isinstance(temperature, (int, float))
        return 1.0 / ops.cast(temperature if is_number else temperature(None, None), "float32")

    # -- images and texts in --------------------------------------------------------------------

    def prepare(self, x: Any) -> Any:
        """Turns the strings among arrays of images and texts into token ids."""
        if isinstance(x, dict) and "inputs" in x:
            return {**x, "inputs": self.prepare(x["inputs"])}
        if not (isinstance(x, (tuple, list)) and len(x) == 2):
            return x
        check_captions(x[1])
        return x[0], self.token_ids(x[1])

    def check_inputs(self, inputs: Any) -> None:
        check_pairs(inputs)
        if isinstance(inputs, (tuple, list)):
            self._check_token_ids(inputs[1])

    def _check_token_ids(self, token_ids: Any) -> None:
        # Of a dict, which array holds the ids is the encoder's own affair.
        if is_array(token_ids):
            check_token_ids(token_ids, self.text_encoder)

    def make_views(self, inputs: Any) -> tuple[Tensor, ...]:
        """The view of each image, and the texts as they are.

        Args:
            inputs: A batch of images and one of token ids.

        Returns:
            A tuple of the two.

        Raises:
            ValueError: If these are no pairs, or a batch of one.
        """
        images, texts = pair_of(inputs)
        (view,) = super().make_views(images if self.augmentation is not None else (images,))
        return view, texts

    def token_ids(self, texts: Any) -> Any:
        """Token ids of strings, through the tokenizer; anything else is returned as it is.

        Args:
            texts: A list or NumPy array of N strings; or token ids, which need no tokenizer.

        Returns:
            An array `(N, L)`, or a dict of arrays.

        Raises:
            ValueError: If there is no tokenizer, one that gives other than N rows, or something
                else among the strings.
        """
        own = getattr(self.text_encoder, "tokenizer", None)
        return as_token_ids(texts, own if self.tokenizer is None else self.tokenizer)

    # -- embeddings out -------------------------------------------------------------------------

    def embed_images(self, images: Any, batch_size: int = 256) -> np.ndarray:
        """Embeddings of images in the space that they share with texts.

        Args:
            images: uint8 in 0 to 255 or floats in 0 to 1, `(N, height, width, channels)`.
            batch_size: Images in one forward pass, positive. Default 256.

        Returns:
            A float32 array `(N, d)` of rows of unit length.

        Raises:
            ValueError: If they are not images.
        """
        check_views(images)
        return _embedded(self.encoder, self.image_projector, images, batch_size, as_unit_range)

    def embed_texts(self, texts: Any, batch_size: int = 256) -> np.ndarray:
        """Embeddings of texts in the space that they share with images.

        Args:
            texts: A list of N strings, or token ids as the text encoder takes them. An empty string
                gives the embedding of what the tokenizer makes of it.
            batch_size: Texts in one forward pass, positive. Default 256.

        Returns:
            A float32 array `(N, d)` of rows of unit length.

        Raises:
            ValueError: As `token_ids`, and on an array of ids beyond the text encoder's vocabulary.
        """
        token_ids = self.token_ids(texts)
        self._check_token_ids(token_ids)
        return _embedded(self.text_encoder, self.text_projector, token_ids, batch_size)

    def zero_shot_classifier(
        self, classes: Sequence[str], templates: Sequence[str] = ("a photo of a {}.",)
    ) -> keras.Sequential:
        """A classifier of images that has seen no label: it compares them with class names.

        Each name goes into each template; a class is the mean of its texts' embeddings, which have
        unit length before and after.

        Args:
            classes: Names of C classes. Good ones are worth some points of accuracy.
            templates: Texts with a `{}` where the name goes.

        Returns:
            A plain Keras model from float images in 0 to 1 to logits `(N, C)`, which share the
            loss's scale and bias: a softmax with InfoNCE, a sigmoid with SigLIP. Its weights are
            copies, and its `.keras` file opens without this package if the encoder's does.

        Raises:
            ValueError: If there is no tokenizer, or names or templates are not such.
        """
        directions = class_embeddings(self.embed_texts, classes, templates)
        bias = getattr(self.contrastive_loss, "bias", 0.0)
        bias = bias.bias if isinstance(bias, LearnedBias) else bias
        scale, bias = (float(ops.convert_to_numpy(value)) for value in (self.scale, bias))
        return cosine_classifier(self.encoder, self.image_projector, directions, scale, bias)

    # -- serialisation --------------------------------------------------------------------------

    def get_config(self) -> dict:
        tokenizer = self.tokenizer if hasattr(self.tokenizer, "get_config") else None
        if tokenizer is not self.tokenizer:
            warnings.warn(
                "The tokenizer of this CLIP has no `get_config` and is not saved: set "
                "`method.tokenizer` after loading.",
                stacklevel=2,
            )
        return {
            **super().get_config(),
            **serialize(
                text_encoder=self.text_encoder,
                image_projector=self.image_projector,
                text_projector=self.text_projector,
                tokenizer=tokenizer,
            ),
        }


def _embedded(
    encoder: keras.Model,
    projector: keras.Model,
    inputs: Any,
    batch_size: int,
    as_input: Callable[[Any], Any] = lambda part: part,
) -> np.ndarray:
    if batch_size < 1:
        raise ValueError(f"Expected a positive `batch_size`. Received: batch_size={batch_size}.")
    embeddings = []
    for start in range(0, len(keras.tree.flatten(inputs)[0]), batch_size):
        part = keras.tree.map_structure(itemgetter(slice(start, start + batch_size)), inputs)
        features = encoder.predict_on_batch(as_input(part))
        z = np.asarray(projector.predict_on_batch(features), "float32")
        # In a strategy of TensorFlow every device gets the whole batch.
        z = z[: len(keras.tree.flatten(part)[0])]
        embeddings.append(z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6))
    return np.concatenate(embeddings)
