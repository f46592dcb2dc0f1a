"""The page of methods speaks of all of them, and of nothing that is not there."""

import functools
import pathlib

import pytest

import keras_contrastive as kc
from benchmarks import methods_page
from keras_contrastive import layers, losses, methods
from keras_contrastive.methods import Addition, Method
from tests.oracles.adapters import ADAPTERS

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = methods_page.rows()
RECIPES = {path.stem for path in (ROOT / "benchmarks" / "recipes").glob("*.yaml")}


def test_every_method_has_a_row():
    public = {
        name for name in methods.__all__ if issubclass(getattr(methods, name), (Method, Addition))
    }
    assert public - {"Addition", "Method"} <= {name for row in ROWS for name in row["use"]}


def test_the_recipes_are_those_of_the_rows():
    assert {name for row in ROWS for name in row["recipes"]} == RECIPES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["method"])
def test_a_row_names_what_exists(row):
    for name in row["use"]:
        functools.reduce(getattr, name.split("."), kc)
    assert set(row["heads"]) <= set(layers.__all__)
    assert set(row["loss"]) <= set(losses.__all__)
    assert set(row["golden"]) <= set(ADAPTERS)
    for key in set(methods_page.TESTS) & set(row):
        path, function = row[key].split("::")
        assert f"def {function}(" in (ROOT / path).read_text()


def test_the_page_is_what_the_rows_say():
    assert (ROOT / "docs" / "methods.md").read_text() == methods_page.text()
