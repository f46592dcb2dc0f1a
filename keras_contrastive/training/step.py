"""The hook that runs after the optimizer, on each backend.

Keras calls `call` and `compute_loss` in the same way on TensorFlow, JAX and PyTorch. What
differs is where state may change once the optimizer has stepped; that is all this file holds.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training.batch_norm import fused_batch_norm
from keras_contrastive.training.devices import averaged_gradients, first_share, random_states

_Base: Any = object  # at run time the mixin stands before `keras.Model`


class _Step(_Base):
    """What the backends share.

    Attributes:
        in_step: True while Keras traces or runs a training or test step, false in `predict`.
    """

    in_step = False

    def after_step(self, stepped: Tensor) -> None:
        """Changes state once the optimizer has had its turn; subclasses extend it.

        Args:
            stepped: Boolean scalar; false while gradients accumulate and after an overflow.
        """

    def frozen(self) -> list[tuple[keras.Variable, Tensor]]:
        """Trainable variables that the coming step may have to leave as they are.

        A gradient of zero is not enough: weight decay and momentum move a variable too. So the
        step puts back what the optimizer has done to them, before `after_step`.

        Returns:
            Pairs of a variable and a boolean scalar that is true while it stands still.
        """
        return []

    def _held(self) -> list[tuple[keras.Variable, Tensor, Tensor]]:
        """The frozen variables with copies of their values."""
        return [(variable, still, ops.copy(variable)) for variable, still in self.frozen()]

    @staticmethod
    def _put_back(held: list[tuple[keras.Variable, Tensor, Tensor]]) -> None:
        for variable, still, value in held:
            variable.assign(ops.where(still, value, ops.convert_to_tensor(variable)))

    def save_own_variables(self, store: dict) -> None:
        """Saves the random states too: Keras leaves them out, and a resumed run would differ."""
        super().save_own_variables(store)
        for position, state in enumerate(random_states(self)):
            store[f"random_{position}"] = state

    def load_own_variables(self, store: dict) -> None:
        """Restores what `save_own_variables` has saved."""
        names = [name for name in store.keys() if name.startswith("random_")]  # noqa: SIM118
        states = random_states(self)
        if len(names) != len(states):
            raise ValueError(
                f"Expected the states of {len(states)} random generators. Received: {len(names)} "
                "in the file. It was saved from a model with other augmentation or dropout layers."
            )
        for position, state in enumerate(states):
            state.assign(store[f"random_{position}"])
        super().load_own_variables({n: store[n] for n in store.keys() if n not in names})  # noqa: SIM118

    @contextmanager
    def _stepping(self) -> Iterator[None]:
        self.in_step = True
        try:
            with fused_batch_norm():
                yield
        finally:
            self.in_step = False

    def _iteration(self) -> Tensor:
        # Counts real updates: not the micro-batches of gradient accumulation, nor the steps that
        # loss scaling skips after an overflow. The sum is a copy; PyTorch would alias.
        return ops.convert_to_tensor(self.optimizer.iterations) + 0


class _StatefulStep(_Step):
    """TensorFlow and PyTorch, whose variables change in place."""

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # For the shapes of a batch Keras takes its mean over the devices, which fails between
        # machines on a batch of several parts.
        if self._distribute_strategy is not None and iterator is not None:
            for _, _, batches in iterator:
                iterator, data_batch = None, first_share(next(batches))
                break
        super()._maybe_symbolic_build(iterator, data_batch)

    def train_step(self, data: object) -> dict:
        before = self._iteration()
        with _without_gradient():
            held = self._held()
        _forget_gradients(self.trainable_variables)
        with self._stepping(), averaged_gradients(self.optimizer):
            logs = super().train_step(data)
        with _without_gradient():
            self._put_back(held)
            self.after_step(self._iteration() > before)
        return logs

    def test_step(self, data: object) -> dict:
        # Evaluation draws views too; it must not move the draws of the training to come.
        state = random_states(self)
        before = [ops.copy(v) for v in state]
        with self._stepping():
            logs = super().test_step(data)
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
        return logs


class _StatelessStep(_Step):
    """JAX, whose step takes all variables' values and returns new ones."""

    def train_step(self, state: tuple, data: object) -> tuple:
        optimizer = self.optimizer.variables
        before_step = [
            *zip(self.trainable_variables, state[0], strict=True),
            *zip(self.non_trainable_variables, state[1], strict=True),
            *zip(optimizer, state[2], strict=True),
        ]
        with keras.StatelessScope(state_mapping=before_step):
            before, held = self._iteration(), self._held()
        with self._stepping():
            logs, (trainable, non_trainable, slots, metrics) = super().train_step(state, data)
        stepped_state = [
            *zip(self.trainable_variables, trainable, strict=True),
            *zip(self.non_trainable_variables, non_trainable, strict=True),
            *zip(optimizer, slots, strict=True),
        ]
        with keras.StatelessScope(state_mapping=stepped_state) as scope:
            self._put_back(held)
            self.after_step(self._iteration() > before)
        trainable = [scope.get_current_value(v) for v in self.trainable_variables]
        non_trainable = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return logs, (trainable, non_trainable, slots, metrics)

    def test_step(self, state: tuple, data: object) -> tuple:
        with self._stepping():
            logs, (trainable, _, metrics) = super().test_step(state, data)
        return logs, (trainable, state[1], metrics)


def _forget_gradients(variables: list[keras.Variable]) -> None:
    # Keras forgets those of parameters by path; a target's copy of a layer has the same path.
    if keras.backend.backend() == "torch":
        for variable in variables:
            variable.value.grad = None


def _without_gradient() -> AbstractContextManager:
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    return torch.no_grad()


StepHook = _StatelessStep if keras.backend.backend() == "jax" else _StatefulStep
