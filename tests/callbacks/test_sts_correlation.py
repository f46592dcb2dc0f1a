"""The correlation that the callback logs is that of the encoder after the epoch."""

import pytest

from keras_contrastive import evaluation
from keras_contrastive.callbacks import STSCorrelation
from tests.methods.parts import compiled
from tests.methods.test_simcse import SENTENCES, fit, simcse

PAIRS = SENTENCES[:8], SENTENCES[8:], [0.0, 3.0, 1.0, 5.0, 2.0, 2.5, 4.0, 1.5]


def test_it_is_that_of_the_encoder():
    method = compiled(simcse())
    logs = fit(method, epochs=2, callbacks=[STSCorrelation(*PAIRS)])
    expected = evaluation.sts(method.encoder.encode, *PAIRS)["all"]
    assert len(logs["sts_correlation"]) == 2
    assert logs["sts_correlation"][-1] == pytest.approx(expected, abs=1e-6)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="Received: 2, 1 and 2"):
        STSCorrelation(["a", "b"], ["c"], [1.0, 2.0])
    with pytest.raises(ValueError, match="None at position 0"):
        STSCorrelation([None], ["c"], [1.0])
