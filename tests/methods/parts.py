"""Small methods, data and steps that the tests of the methods share."""

import keras
import numpy as np
from keras import ops

import keras_contrastive as kc
from keras_contrastive.methods.sentences import SentenceMethod
from tests.methods.noise import NoiseViews

DIM = 6


def tiny_encoder():
    """A network with batch normalisation; all that is built after it is the same each time."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(8),
            kc.layers.batch_norm(),
            keras.layers.ReLU(),
            keras.layers.Dense(DIM),
        ],
        name="encoder",
    )


def tiny_byol_mlp(input_dim):
    return kc.layers.byol_mlp(input_dim, hidden_dim=8, output_dim=4)


def tiny_moco_mlp(input_dim):
    return kc.layers.moco_v2_projector(input_dim, hidden_dim=32, output_dim=8)


def tiny_predictor(input_dim):
    return kc.layers.byol_mlp(input_dim, hidden_dim=8, output_dim=4, name="predictor")


def simclr(**kwargs):
    return kc.SimCLR(tiny_encoder(), NoiseViews(), kc.layers.simclr_v2_projector, **kwargs)


def moco(**kwargs):
    return kc.MoCo(
        tiny_encoder(), NoiseViews(), tiny_moco_mlp, queue_size=10, momentum=0.9, **kwargs
    )


def moco_symmetric(**kwargs):
    return moco(**{"symmetric": True, "shuffle_splits": 2, **kwargs})


def byol(momentum=0.9, **kwargs):
    return kc.BYOL(
        tiny_encoder(), NoiseViews(), tiny_byol_mlp, tiny_predictor, momentum=momentum, **kwargs
    )


def tiny_moco_v3_mlp(input_dim):
    return kc.layers.moco_v3_mlp(input_dim, hidden_dim=8, output_dim=4)


def moco_v3(momentum=0.9, **kwargs):
    return kc.MoCoV3(
        tiny_encoder(), NoiseViews(), tiny_moco_v3_mlp, tiny_predictor, momentum=momentum, **kwargs
    )


def nnclr(**kwargs):
    kwargs = {"queue_size": 10, **kwargs}
    return kc.NNCLR(tiny_encoder(), NoiseViews(), tiny_byol_mlp, tiny_predictor, **kwargs)


def directclr(**kwargs):
    return kc.DirectCLR(tiny_encoder(), NoiseViews(), **{"loss_dim": 4, **kwargs})


def mochi(**kwargs):
    kwargs = {"num_hardest": 4, "num_mixed": 6, "num_query_mixed": 2, **kwargs}
    kwargs = {"queue_size": 10, "momentum": 0.9, **kwargs}
    return kc.MoCHi(tiny_encoder(), NoiseViews(), tiny_moco_mlp, **kwargs)


def ressl(**kwargs):
    kwargs = {"queue_size": 10, "momentum": 0.9, **kwargs}
    return kc.ReSSL(tiny_encoder(), NoiseViews(), tiny_moco_mlp, **kwargs)


def tico(**kwargs):
    # The default weight asks for more dimensions than four.
    kwargs = {"momentum": 0.9, "loss": kc.losses.TiCoLoss(0.5, 1.0), **kwargs}
    return kc.TiCo(tiny_encoder(), NoiseViews(), tiny_byol_mlp, **kwargs)


def tiny_siamese_heads():
    return {
        "projector": lambda dim: kc.layers.simsiam_projector(dim, 8, 8, num_hidden=1),
        "predictor": lambda dim: kc.layers.simsiam_predictor(dim, 16),
    }


def simsiam(**kwargs):
    return kc.SimSiam(tiny_encoder(), NoiseViews(), **{**tiny_siamese_heads(), **kwargs})


def guided_simsiam(**kwargs):
    return kc.GuidedSimSiam(tiny_encoder(), NoiseViews(), **{**tiny_siamese_heads(), **kwargs})


def guided_byol(**kwargs):
    kwargs = {**tiny_siamese_heads(), "momentum": 0.9, **kwargs}
    return kc.GuidedBYOL(tiny_encoder(), NoiseViews(), **kwargs)


def multi_target_byol(**kwargs):
    kwargs = {"predictor": tiny_predictor, "momenta": (0.9, 0.5), **kwargs}
    return kc.MultiTargetBYOL(tiny_encoder(), NoiseViews(), tiny_byol_mlp, **kwargs)


def tiny_swav_projector(input_dim):
    return kc.layers.swav_projector(input_dim, hidden_dim=8, output_dim=4)


def swav(**kwargs):
    kwargs = {"num_prototypes": 8, "freeze_steps": 2, "queue_size": 10, **kwargs}
    return kc.SwAV(tiny_encoder(), NoiseViews(), tiny_swav_projector, **kwargs)


def tiny_dino_projector(input_dim):
    return kc.layers.dino_projector(input_dim, hidden_dim=8, output_dim=4, normalized=True)


def dino(**kwargs):
    kwargs = {"num_prototypes": 8, "freeze_steps": 2, "momentum": 0.99, **kwargs}
    kwargs = {"teacher_temperature": 0.07, "center_momentum": 0.5, **kwargs}
    return kc.DINO(tiny_encoder(), NoiseViews(), tiny_dino_projector, **kwargs)


def tiny_barlow_projector(input_dim):
    return kc.layers.barlow_twins_projector(input_dim, hidden_dim=16, output_dim=8)


def tiny_vicreg_projector(input_dim):
    return kc.layers.vicreg_projector(input_dim, hidden_dim=16, output_dim=8)


def barlow_twins(**kwargs):
    return kc.BarlowTwins(tiny_encoder(), NoiseViews(), tiny_barlow_projector, **kwargs)


def vicreg(**kwargs):
    kwargs = {"invariance_weight": 5.0, "variance_weight": 5.0, "covariance_weight": 0.2, **kwargs}
    return kc.VICReg(tiny_encoder(), NoiseViews(), tiny_vicreg_projector, **kwargs)


def mmcr(**kwargs):
    kwargs = {"momentum": 0.9, **kwargs}
    return kc.MMCR(tiny_encoder(), NoiseViews(), tiny_barlow_projector, **kwargs)


def supcon(**kwargs):
    kwargs = {"num_classes": 4, **kwargs}
    return kc.SupCon(tiny_encoder(), NoiseViews(), tiny_moco_mlp, **kwargs)


def clop(**kwargs):
    return simclr(additions=[kc.CLOP(num_classes=4)], **kwargs)


def tiny_text_encoder():
    """The mean of four tokens' vectors, through a network with batch normalisation."""
    return keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(16, 8),
            keras.layers.GlobalAveragePooling1D(),
            kc.layers.batch_norm(),
            keras.layers.Dense(DIM),
        ],
        name="text_encoder",
    )


def tiny_clip_projector(input_dim):
    return kc.layers.clip_projector(input_dim, output_dim=4)


def clip(**kwargs):
    heads = {"image_projector": tiny_clip_projector, "text_projector": tiny_clip_projector}
    return kc.CLIP(tiny_encoder(), tiny_text_encoder(), **{**heads, **kwargs})


def siglip(**kwargs):
    temperature, bias = kc.layers.LearnedTemperature(0.1), kc.layers.LearnedBias(-1.0)
    return clip(loss=kc.losses.SigLIP(temperature, bias), **kwargs)


def simcse(**kwargs):
    keras.utils.set_random_seed(0)
    return kc.SimCSE(tiny_text_encoder(), **kwargs)


def cosent(**kwargs):
    keras.utils.set_random_seed(0)
    return kc.CoSENT(tiny_text_encoder(), **kwargs)


METHODS = {
    "barlow_twins": barlow_twins,
    "clip": clip,
    "clop": clop,
    "mmcr": mmcr,
    "supcon": supcon,
    "vicreg": vicreg,
    "swav": swav,
    "simsiam": simsiam,
    "multi_target_byol": multi_target_byol,
    "guided_simsiam": guided_simsiam,
    "guided_byol": guided_byol,
    "dino": dino,
    "byol": byol,
    "directclr": directclr,
    "mochi": mochi,
    "moco": moco,
    "moco_symmetric": moco_symmetric,
    "moco_v3": moco_v3,
    "nnclr": nnclr,
    "ressl": ressl,
    "siglip": siglip,
    "simclr": simclr,
    "tico": tico,
}
SENTENCE_METHODS = {"cosent": cosent, "simcse": simcse}


def images(num=32, seed=0):
    """Images of four kinds, each with a pattern of its own; labels are the kinds."""
    rng = np.random.default_rng(seed)
    kinds = rng.uniform(0, 1, (4, 4, 4, 3))
    labels = np.arange(num) % 4
    pixels = 0.6 * kinds[labels] + 0.4 * rng.uniform(0, 1, (num, 4, 4, 3))
    return pixels.astype("float32"), labels


def token_ids(labels, seed=0):
    """Four token ids a row, of which three tell its kind."""
    labels = np.asarray(labels)
    kinds = 1 + labels[:, None] * np.array([1, 1, 3])
    return np.hstack([kinds, np.random.default_rng(seed).integers(1, 16, (len(labels), 1))])


def data(method, num=32):
    """What `fit` takes: images, for some methods with token ids; and labels."""
    pixels, labels = images(num)
    return ((pixels, token_ids(labels)) if isinstance(method, kc.CLIP) else pixels), labels


def ready(method, views, labels):
    """The same of ready views; for some methods, texts are one of them or both."""
    texts = token_ids(labels), token_ids(labels, seed=1)
    if isinstance(method, SentenceMethod):
        return texts
    return (views[0], texts[0]) if isinstance(method, kc.CLIP) else tuple(views)


def compiled(method, optimizer=None, **kwargs):
    method.compile(optimizer=optimizer or keras.optimizers.SGD(0.05), **kwargs)
    return method


def weights(model):
    """All variables by path, as NumPy arrays; the optimizer's too."""
    variables = [*model.variables, *(model.optimizer.variables if model.optimizer else [])]
    return {f"{i}/{v.path}": ops.convert_to_numpy(v).copy() for i, v in enumerate(variables)}


def assert_same_weights(one, other):
    first, second = weights(one), weights(other)
    assert len(first) == len(second)
    for (name, a), b in zip(first.items(), second.values(), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
