"""Methods without what prevents their collapse, made from sound ones."""

import keras

import keras_contrastive as kc


class WithoutStopGradient(kc.SimSiam):
    """SimSiam whose targets follow the predictions too."""

    def compare(self, targets, predictions):
        pairs = [(targets[1], predictions[0]), (targets[0], predictions[1])]
        return -sum(keras.ops.sum(unit(z) * unit(p), axis=1) for z, p in pairs) / 2


def unit(x):
    return kc.ops.l2_normalize(x)


def without_stop_gradient(method):
    return WithoutStopGradient.from_config(method.get_config())


def without_predictor(method):
    dim = method.projector.output_shape[-1]
    identity = keras.Sequential([keras.Input((dim,)), keras.layers.Activation("linear")])
    return again(method, predictor=keras.saving.serialize_keras_object(identity))


def without_redundancy(method):
    return again(method, redundancy_weight=0.0)


def again(method, **changes):
    return type(method).from_config({**method.get_config(), **changes})


BROKEN = {
    "simsiam": ("simsiam without stop-gradient", without_stop_gradient),
    "byol": ("byol without predictor", without_predictor),
    "barlow_twins": ("barlow_twins without redundancy", without_redundancy),
}
