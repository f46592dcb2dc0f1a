"""What the callbacks on sentences log is measured on the encoder after the epoch."""

import pytest

from keras_contrastive import evaluation
from keras_contrastive.callbacks import STSCorrelation, STSGeometry, TransferAccuracy
from tests.methods.parts import compiled
from tests.methods.test_simcse import SENTENCES, fit, simcse

PAIRS = SENTENCES[:8], SENTENCES[8:], [0.0, 3.0, 1.0, 5.0, 2.0, 2.5, 4.0, 1.5]


def test_it_is_that_of_the_encoder():
    method = compiled(simcse())
    logs = fit(method, epochs=2, callbacks=[STSCorrelation(*PAIRS)])
    expected = evaluation.sts(method.encoder.encode, *PAIRS)["all"]
    assert len(logs["sts_correlation"]) == 2
    assert logs["sts_correlation"][-1] == pytest.approx(expected, abs=1e-6)


def test_geometry_and_transfer_are_those_of_the_encoder():
    method, labels = compiled(simcse()), [0, 1] * 8
    watches = [
        STSGeometry(*PAIRS, at_least=3.0),
        TransferAccuracy(SENTENCES, labels, folds=2),
    ]
    logs = fit(method, callbacks=watches)
    expected = evaluation.sts_geometry(method.encoder.encode, *PAIRS, at_least=3.0)
    for name, value in expected.items():
        assert logs[f"sts_{name}"] == [pytest.approx(value, abs=1e-5)]
    accuracy = evaluation.transfer(method.encoder.encode, SENTENCES, labels, folds=2)["accuracy"]
    assert logs["transfer_accuracy"] == [pytest.approx(accuracy)]


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="Received: 2, 1 and 2"):
        STSCorrelation(["a", "b"], ["c"], [1.0, 2.0])
    with pytest.raises(ValueError, match="None at position 0"):
        STSCorrelation([None], ["c"], [1.0])
    with pytest.raises(ValueError, match=r"labels of shape \(2,\)"):
        TransferAccuracy(["a", "b"], [0])
