"""The folder of a run: what is in it, and whether a run may start or go on there."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.presets.folder import ENCODER, RECIPE, RESULTS


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def recipe(self) -> Path:
        """`recipe.yaml`, what was run."""
        return self.path / RECIPE

    @property
    def history(self) -> Path:
        """`history.csv`, a row an epoch."""
        return self.path / "history.csv"

    @property
    def backup(self) -> Path:
        """The training state after the last epoch, until the run is finished."""
        return self.path / "backup"

    @property
    def method(self) -> Path:
        """`method.keras`, encoder, heads, optimizer and all."""
        return self.path / "method.keras"

    @property
    def encoder(self) -> Path:
        """`encoder.keras`, a plain Keras model."""
        return self.path / ENCODER

    @property
    def results(self) -> Path:
        """`results.json`."""
        return self.path / RESULTS

    @property
    def report(self) -> Path:
        """`report.html`."""
        return self.path / "report.html"

    def read_results(self) -> dict[str, Any]:
        """What was measured, empty before the end of the run."""
        return json.loads(self.results.read_text("utf8")) if self.results.exists() else {}

    def prepare(self, recipe: Recipe, resume: bool = True) -> None:
        """Make the folder ready for a run of `recipe`.

        Raises:
            ValueError: On a folder of something else, of another recipe, or of a finished run.
        """
        if not self._is_run() and self.path.exists() and any(self.path.iterdir()):
            raise ValueError(
                f"Expected an empty folder or that of a run. Received: {self.path}, which holds "
                f"other files. Give another --run folder."
            )
        if not resume:
            self._clear()
        if self._has_trained():
            self._check_same(Recipe.load(self.recipe), recipe)
            if self.read_results().get("finished"):
                raise ValueError(
                    f"Expected a new or unfinished run. Received: {self.path}, which is finished. "
                    f"Give another --run folder, or --no-resume to start again."
                )
        # The backup comes first: by it, a run that fails before its first epoch is known for one.
        self.backup.mkdir(parents=True, exist_ok=True)
        recipe.save(self.recipe)

    def _is_run(self) -> bool:
        # A recipe.yaml alone may be one that the user wrote.
        return self.backup.exists() or (self.recipe.exists() and self.history.exists())

    def _has_trained(self) -> bool:
        return self.history.exists() or (self.backup.exists() and any(self.backup.iterdir()))

    def _check_same(self, before: Recipe, recipe: Recipe) -> None:
        # Through JSON, where a tuple is a list as it is in the file.
        old, new = (json.loads(json.dumps(r.to_dict())) for r in (before, recipe))
        changed = [f"{name} ({old[name]} -> {new[name]})" for name in new if old[name] != new[name]]
        if changed:
            raise ValueError(
                f"Expected the recipe that {self.path} was started with. Received: another "
                f"{', '.join(changed)}. Give another --run folder, or --no-resume to start again."
            )

    def _clear(self) -> None:
        """Remove what a run writes, and nothing else."""
        shutil.rmtree(self.backup, ignore_errors=True)
        for path in (
            self.recipe, self.history, self.method, self.encoder, self.results, self.report,
            self.path / "README.md",
        ):  # fmt: skip
            path.unlink(missing_ok=True)
