"""The recipes of the benchmarks and of the zoo fit the code."""

import pathlib

import pytest

from keras_contrastive.cli.build import build, check
from keras_contrastive.cli.recipe import Recipe

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = sorted(
    [*ROOT.glob("benchmarks/recipes/*.yaml"), *ROOT.glob("zoo/*/recipe.yaml")], key=str
)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_recipe_builds_its_method(path):
    recipe = Recipe.load(path)
    check(recipe)
    method = build(recipe, (32, 32, 3), num_samples=2560)
    assert type(method).__name__.lower() == recipe.method.name
    assert method.compiled
