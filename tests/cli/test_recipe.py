"""Recipes: what is read, what is refused, and the method that comes out."""

import keras
import pytest

from keras_contrastive import SimCLR, losses
from keras_contrastive.cli.build import build, check
from keras_contrastive.cli.overrides import override, parse_assignment
from keras_contrastive.cli.recipe import Recipe


def test_a_saved_recipe_is_read_back(tmp_path):
    recipe = Recipe.parse(
        {
            "method": {"name": "simclr", "loss": {"name": "NTXent", "temperature": 0.5}},
            "optimizer": {"name": "lars", "learning_rate": 0.4, "weight_decay": 1e-4},
            "training": {"epochs": 7},
            "callbacks": [{"name": "PseudoLabels", "num_clusters": [2, 4], "end": 3}],
        }
    )
    recipe.save(tmp_path / "recipe.yaml")
    assert Recipe.load(tmp_path / "recipe.yaml") == recipe


def test_numbers_without_a_point_are_numbers(tmp_path):
    (tmp_path / "recipe.yaml").write_text("optimizer: {learning_rate: 1e-4, warmup_epochs: 1}")
    assert Recipe.load(tmp_path / "recipe.yaml").optimizer.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trainin": {}}, r"`recipe`.*Received: 'trainin'\. Did you mean 'training'\?"),
        ({"training": {"epoch": 5}}, r"`training`.*Received: 'epoch'\. Did you mean 'epochs'\?"),
        ({"training": {"epochs": "ten"}}, r"`training\.epochs` to be of type int\. .*'ten'"),
        ({"training": {"epochs": True}}, r"`training\.epochs` to be of type int\. .*True"),
        ({"training": {"batch_size": 1}}, r"batch_size` of at least 2.*Received: 1"),
        ({"training": {"epochs": 0}}, r"epochs` of at least 1.*Received: 0"),
        ({"training": 5}, r"`training` to be a mapping\. Received: 5"),
        ({"method": 5}, r"`method` to be a name"),
        ({"optimizer": {"scaling": "cubic"}}, r"linear, sqrt or null\. Received: 'cubic'"),
        (
            {"training": {"batch_size": 10, "classes_per_batch": 4}},
            r"that divides `training\.batch_size`\. Received: 4 and 10",
        ),
        ({"data": {"positives": "bank.npy"}}, r"`data\.test` beside.*bank\.npy alone"),
        (
            {
                "data": {"positives": "bank.npy", "test": "digits"},
                "training": {"classes_per_batch": 4},
            },
            r"`data\.positives` or `training\.classes_per_batch`\. Received: both",
        ),
        ({"data": {"test_fraction": 0.0}}, r"test_fraction` in 0 to 0\.9"),
        ("simclr", r"Expected a recipe with the sections method, encoder"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Recipe.parse(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "simcrl"}, r"`method`.*Received: 'simcrl'\. Did you mean 'SimCLR'"),
        (
            {"method": {"name": "moco", "queue_sise": 5}},
            r"`method\.moco`.*Received: 'queue_sise'\. Did you mean 'queue_size'",
        ),
        ({"encoder": "resnet81"}, r"`encoder`.*Did you mean 'resnet18'"),
        ({"augmentation": {"name": "simclr_views", "blurr": 1}}, r"Did you mean 'blur'"),
        ({"callbacks": ["PseudoLabel"]}, r"`callbacks`.*Did you mean 'PseudoLabels'"),
        ({"callbacks": "PseudoLabels"}, r"`callbacks` to be a list\. Received: 'PseudoLabels'"),
        ({"optimizer": {"name": "adamv"}}, r"`optimizer`.*Did you mean 'Adam"),
        ({"optimizer": {"name": "lars", "clip_norm": 1}}, r"Did you mean 'clipnorm'"),
    ],
)
def test_unknown_names_and_arguments_are_told_the_nearest(values, message):
    with pytest.raises(ValueError, match=message):
        check(Recipe.parse(values))


def test_an_unreadable_recipe_is_refused(tmp_path):
    with pytest.raises(ValueError, match="which does not exist"):
        Recipe.load(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("training: {epochs: [")
    with pytest.raises(ValueError, match="Expected a YAML file"):
        Recipe.load(tmp_path / "broken.yaml")


def test_build_follows_the_recipe():
    recipe = Recipe.parse(
        {
            "method": {
                "name": "simclr",
                "loss": {"name": "NTXent", "temperature": 0.25},
                "projector": {"name": "simclr_v2_projector", "hidden_dim": 12},
            },
            "encoder": {"name": "small_resnet", "widths": [4, 8]},
            "optimizer": {"name": "sgd", "learning_rate": 1.0, "scaling": "linear", "final": 0.0},
            "training": {"epochs": 2, "batch_size": 64},
        }
    )
    method = build(recipe, (16, 16, 3), num_samples=320)
    assert type(method) is SimCLR
    assert isinstance(method.contrastive_loss, losses.NTXent)
    assert method.contrastive_loss.temperature == 0.25
    assert method.projector.layers[0].units == 12
    schedule = method.optimizer.get_config()["learning_rate"]["config"]
    assert (schedule["initial_learning_rate"], schedule["decay_steps"]) == (0.25, 10)


def test_a_part_of_a_method_needs_its_name():
    recipe = override(Recipe(), {"method.loss.temperature": 0.5})
    with pytest.raises(
        ValueError, match=r"Expected `method\.loss` to be a name, or a mapping with"
    ):
        build(recipe, (16, 16, 3), num_samples=1280)


def test_a_momentum_schedule_gets_the_length_of_the_run():
    recipe = Recipe.parse(
        {
            "method": {"name": "byol", "momentum": {"name": "CosineMomentum", "start": 0.9}},
            "encoder": {"name": "small_resnet", "widths": [4, 8]},
            "training": {"epochs": 2, "batch_size": 64},
        }
    )
    method = build(recipe, (16, 16, 3), num_samples=320)
    assert method.momentum_pair.momentum.steps == 10


def test_parts_of_parts_get_the_size_of_the_data_and_the_length_of_the_run():
    def parts(**arguments):
        return Recipe.parse(
            {
                "method": {"name": "simclr", **arguments},
                "encoder": {"name": "small_resnet", "widths": [4, 8]},
                "training": {"epochs": 2, "batch_size": 64},
            }
        )

    individual = {"name": "IndividualTemperature", "rho": 0.2}
    method = build(
        parts(
            loss={"name": "SogCLR", "temperature": individual},
            false_negatives={"name": "GloFND", "rate": 0.1},
        ),
        (16, 16, 3),
        num_samples=320,
    )
    assert method.contrastive_loss.num_samples == method.false_negatives.num_samples == 320
    assert method.contrastive_loss.temperature.num_samples == 320
    assert method.contrastive_loss.temperature.rho == 0.2
    scheduled = {"name": "ScheduledTemperature", "start": 0.5, "end": 0.1}
    method = build(parts(loss={"name": "NTXent", "temperature": scheduled}), (16, 16, 3), 320)
    assert method.contrastive_loss.temperature.steps == 10


def test_a_weighting_names_a_saved_network(tmp_path):
    network = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.AveragePooling2D(4)])
    network.save(tmp_path / "maps.keras")
    weighting = {"name": "ViewQuality", "network": str(tmp_path / "maps.keras"), "gamma": 2.0}
    recipe = override(Recipe(), {"method.weighting": weighting})
    method = build(recipe, (16, 16, 3), num_samples=1280)
    assert method.weighting.network.output_shape == (None, 4, 4, 3)
    assert method.weighting.gamma == 2.0


def test_the_seed_decides_the_weights():
    first, again, other = (
        build(Recipe.parse({"training": {"seed": seed}}), (8, 8, 3), 1280)
        .encoder.get_layer("stem_conv")
        .get_weights()[0]
        .tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_precision_holds_for_the_method_alone():
    recipe = Recipe.parse({"training": {"precision": "mixed_bfloat16"}})
    method = build(recipe, (8, 8, 3), 1280)
    assert method.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(ValueError, match=r"training\.precision.*Received: 'half'"):
        build(Recipe.parse({"training": {"precision": "half"}}), (8, 8, 3), 1280)


def test_overrides_reach_into_components():
    recipe = override(
        Recipe(), {"method.loss.name": "NTXent", "method.loss.temperature": 0.5, "encoder": "x"}
    )
    assert recipe.method.arguments == {"loss": {"name": "NTXent", "temperature": 0.5}}
    assert recipe.encoder.name == "x"
    with pytest.raises(ValueError, match="Did you mean 'epochs'"):
        override(Recipe(), {"training.epoch": 3})


def test_assignments_are_read_as_yaml():
    assert parse_assignment("encoder.widths=[4, 8]") == ("encoder.widths", [4, 8])
    with pytest.raises(ValueError, match=r"Expected --set key=value.*Received: 'epochs'"):
        parse_assignment("epochs")
