"""Epochs that follow one another at once on TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras


@contextmanager
def prompt_epochs() -> Iterator[None]:
    """Within it, TensorFlow does not tune how Keras reads arrays and `PyDataset`s.

    The tuner sleeps for 10 ms, 20 ms, 40 ms and so on, and an epoch ends only when it has woken:
    on few cores, one of 6 seconds of work takes 10. There is nothing to tune where rows are
    copied from memory. Data sets of `tf.data` are left as their makers want them.

    Example:

    >>> import keras_contrastive as kc
    >>> with kc.training.prompt_epochs():
    ...     pass  # fit
    """
    stock = [(adapter, adapter.get_tf_dataset) for adapter in _adapters()]
    for adapter, get_tf_dataset in stock:
        adapter.get_tf_dataset = _untuned(get_tf_dataset)
    try:
        yield
    finally:
        for adapter, get_tf_dataset in stock:
            adapter.get_tf_dataset = get_tf_dataset


def _adapters() -> list[Any]:
    if keras.backend.backend() != "tensorflow":
        return []
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    return [ArrayDataAdapter, PyDatasetAdapter]


def _untuned(get_tf_dataset: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get(adapter: Any) -> Any:
        import tensorflow as tf

        options = tf.data.Options()
        options.autotune.enabled = False
        return get_tf_dataset(adapter).with_options(options)

    return get
