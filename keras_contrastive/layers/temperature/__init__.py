"""Temperatures as parts: anything that an InfoNCE-type loss takes in place of a number."""

from keras_contrastive.layers.temperature.alignment import AlignmentTemperature
from keras_contrastive.layers.temperature.base import Temperature, resolve_temperature
from keras_contrastive.layers.temperature.individual import IndividualTemperature
from keras_contrastive.layers.temperature.learned import LearnedTemperature
from keras_contrastive.layers.temperature.log_odds import LogOdds
from keras_contrastive.layers.temperature.scheduled import ScheduledTemperature
from keras_contrastive.layers.temperature.uncertainty import UncertaintyTemperature

__all__ = [
    "AlignmentTemperature",
    "IndividualTemperature",
    "LearnedTemperature",
    "LogOdds",
    "ScheduledTemperature",
    "Temperature",
    "UncertaintyTemperature",
    "resolve_temperature",
]
