"""Transfer by logistic regression: scikit-learn's own, honest folds and choices."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_contrastive.evaluation import logistic_probe, transfer

DATA = load_digits()
ORDER = np.random.default_rng(0).permutation(len(DATA.target))[:400]
X, Y = DATA.data[ORDER] / 16, DATA.target[ORDER]


def encode(texts):
    """A text is the number of a digit."""
    return X[[int(text) for text in texts]]


TEXTS = [str(number) for number in range(400)]


def test_one_strength_is_scikit_learn_s():
    result = logistic_probe(X[:300], Y[:300], X[300:], Y[300:], strengths=[2.0])
    peer = LogisticRegression(C=0.5, max_iter=1000).fit(X[:300], Y[:300])
    assert result.accuracy == peer.score(X[300:], Y[300:])
    assert result.chosen == 2.0


def test_the_held_out_part_chooses_and_test_labels_do_not():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 150))
    x[:, 0] += 3 * y
    data = x[:180], y[:180], x[180:]
    result = logistic_probe(*data, y[180:], strengths=[1e-6, 10.0])
    assert result.chosen == 10.0
    assert result.held_out[10.0] > result.held_out[1e-6]
    shuffled = logistic_probe(*data, rng.permutation(y[180:]), strengths=[1e-6, 10.0])
    assert (shuffled.chosen, shuffled.held_out) == (result.chosen, result.held_out)


def test_a_test_set_is_used_as_given():
    found = transfer(encode, TEXTS[:300], Y[:300], TEXTS[300:], Y[300:])
    assert found == {"accuracy": logistic_probe(X[:300], Y[:300], X[300:], Y[300:]).accuracy}
    assert found["accuracy"] > 0.85


def test_every_sentence_is_tested_once_and_never_trained_on_then(monkeypatch):
    seen, by_fold = [], []

    def probe(train_x, train_y, test_x, test_y, **kwargs):
        train, test = ({row.tobytes() for row in part} for part in (train_x, test_x))
        assert not train & test
        assert len(train | test) == 400
        seen.extend(test)
        by_fold.append(np.bincount(test_y, minlength=10))
        return logistic_probe(train_x, train_y, test_x, test_y, strengths=[1.0], **kwargs)

    module = sys.modules["keras_contrastive.evaluation.transfer"]  # the function has its name
    monkeypatch.setattr(module, "logistic_probe", probe)
    found = transfer(encode, TEXTS, Y, folds=4)
    assert len(seen) == len(set(seen)) == 400
    assert np.ptp(by_fold, axis=0).max() <= 1  # of every class
    assert found["accuracy"] > 0.85
    assert 0 < found["std"] < 0.05


def test_chance_is_chance():
    """The folds leak nothing: labels that mean nothing are not learned."""
    labels = np.random.default_rng(1).integers(0, 2, 400)
    assert 0.4 < transfer(encode, TEXTS, labels, folds=3, strengths=[1.0])["accuracy"] < 0.6


def test_pairs_are_compared_by_difference_and_product():
    """Whether two digits are the same, which neither of them tells."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 400, 600)
    alike = rng.integers(0, 2, 600)
    second = np.array(
        [rng.choice(np.flatnonzero((Y[row] == Y) == same)) for row, same in zip(first, alike)]
    )
    pairs = [str(number) for number in first], [str(number) for number in second]
    vectors = np.concatenate([abs(X[first] - X[second]), X[first] * X[second]], axis=1)
    train, test = slice(0, 450), slice(450, 600)
    found = transfer(
        encode,
        tuple(part[train] for part in pairs),
        alike[train],
        tuple(part[test] for part in pairs),
        alike[test],
    )
    expected = logistic_probe(vectors[train], alike[train], vectors[test], alike[test]).accuracy
    assert found["accuracy"] == pytest.approx(expected, abs=0.01)
    assert expected > 0.7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TEXTS, Y[:5]), r"labels of shape \(400,\)"),
        ((TEXTS, Y, TEXTS), "with their labels, or neither"),
        (((TEXTS, TEXTS[:5]), Y), "Received: 400 and 5"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        transfer(encode, *arguments)


def test_refuses_more_folds_than_samples_of_a_class():
    with pytest.raises(ValueError, match=r"smallest class, 2\. Received: folds=3"):
        transfer(encode, TEXTS[:6], [0, 0, 1, 1, 1, 1], folds=3)
    with pytest.raises(ValueError, match="positive `strengths`"):
        logistic_probe(X, Y, X, Y, strengths=[0.0])
