"""A network once more in plain PyTorch, for steps that are computed without this library."""

import torch
import torch.nn.functional as F
from keras import ops


class Double:
    """The layers of a `keras.Sequential` in float64, with copies of its weights.

    Batch normalisation uses the batch's statistics, as in training.
    """

    def __init__(self, *networks):
        self.layers = []
        for layer in (layer for network in networks for layer in network.layers):
            weights = [
                torch.tensor(ops.convert_to_numpy(w).astype("float64"), requires_grad=True)
                for w in (
                    (layer.gamma, layer.beta)
                    if type(layer).__name__ == "BatchNormalization"
                    else layer.weights
                )
                if w is not None
            ]
            self.layers.append((type(layer).__name__, weights))
        self.start = [weight.detach().clone() for weight in self.weights]

    def __call__(self, x):
        for kind, weights in self.layers:
            if kind == "Flatten":
                x = x.flatten(1)
            elif kind == "Dense":
                x = x @ weights[0] + (weights[1] if len(weights) > 1 else 0.0)
            elif kind == "BatchNormalization":
                x = F.batch_norm(x, None, None, *(weights or (None, None)), training=True, eps=1e-5)
            elif kind == "Activation":  # no head has another than GELU
                x = F.gelu(x)
            elif kind == "ReLU":
                x = x.relu()
            else:
                raise NotImplementedError(kind)
        return x

    @property
    def weights(self):
        return [weight for _, weights in self.layers for weight in weights]

    def follow(self, online, momentum):
        with torch.no_grad():
            for target, source in zip(self.weights, online.weights, strict=True):
                target.mul_(momentum).add_((1 - momentum) * source)


def as_torch(array):
    return torch.tensor(ops.convert_to_numpy(array).astype("float64"))


def unit(z):
    length = z.norm(dim=1, keepdim=True)
    return torch.where(length < 1e-6, 0.0, z / length.clamp(min=1e-6))


def cross_entropy(logits):
    """Each row must pick its own column."""
    return F.cross_entropy(logits, torch.arange(len(logits)))


def sgd_step(loss, networks, learning_rate):
    weights = [weight for network in networks for weight in network.weights]
    gradients = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= learning_rate * gradient


def assert_same(double, *networks):
    """The networks went where their double went, to a hundredth of the way."""
    ours, theirs = Double(*networks).weights, double.weights
    way = max(float((a - b).detach().abs().max()) for a, b in zip(theirs, double.start))
    assert way > 1e-3
    apart = max(float((a - b).detach().abs().max()) for a, b in zip(ours, theirs, strict=True))
    assert apart < 0.01 * way


def assert_moved(double, start):
    """Steps that do nothing would agree too."""
    pairs = zip(double.weights, start, strict=True)
    assert max(float((a.detach() - b).abs().max()) for a, b in pairs) > 1e-3


def copies(double):
    return [weight.detach().clone() for weight in double.weights]
