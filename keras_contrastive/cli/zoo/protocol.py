"""How a preset is measured; the card says it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Protocol:
    """Settings of the figures of a card; the defaults take minutes on one core.

    Args:
        k: Neighbours of the kNN vote.
        temperature: Of the vote.
        label_epochs: Shares of the labels to learn from, each with the passes over them.
        batch_size: Images in one step of that.
        learning_rate: Of Adam at its start.
        seeds: Each draws other labels, classifiers, fresh weights and batches.
        transfer_k: Neighbours of the vote on other data, which may have few images a class.
    """

    k: int = 200
    temperature: float = 0.1
    label_epochs: Mapping[float, int] = field(default_factory=lambda: {0.01: 20, 0.1: 5})
    batch_size: int = 32
    learning_rate: float = 1e-3
    seeds: tuple[int, ...] = (0, 1, 2)
    transfer_k: int = 20

    def to_dict(self) -> dict[str, Any]:
        """The settings as they stand in `results.json`."""
        epochs = [[fraction, number] for fraction, number in self.label_epochs.items()]
        return {**dataclasses.asdict(self), "label_epochs": epochs, "seeds": [*self.seeds]}
