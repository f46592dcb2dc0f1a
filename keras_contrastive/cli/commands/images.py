"""The commands on images."""

from pathlib import Path
from typing import Annotated

import keras
import typer

from keras_contrastive.cli import demo as demos
from keras_contrastive.cli.commands.options import (
    DataArgument,
    EncoderArgument,
    JsonOption,
    SizeOption,
    TestOption,
    explained,
    write_json,
)
from keras_contrastive.cli.convert import convert as convert_file
from keras_contrastive.cli.devices import in_processes, on_devices, start_processes
from keras_contrastive.cli.embedding import check_format, write_features
from keras_contrastive.cli.evaluate import evaluate as evaluate_encoder
from keras_contrastive.cli.overrides import override, parse_assignment
from keras_contrastive.cli.pretrain import pretrain as run_recipe
from keras_contrastive.cli.recipe import Data, Recipe
from keras_contrastive.cli.report import write_report
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.cli.tables import labels_table, results_table
from keras_contrastive.data import ImageFolder, load
from keras_contrastive.evaluation import embed as embed_images
from keras_contrastive.ops.collectives import process_index
from keras_contrastive.presets import from_preset

app = typer.Typer(
    help="Pretrain image encoders without labels, and measure, use and show them.\n\n"
    "KERAS_BACKEND chooses tensorflow, jax or torch.",
    epilog="Start with: keras-contrastive demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.command(no_args_is_help=True)
def pretrain(
    recipe: Annotated[Path | None, typer.Argument(help="Recipe, a YAML file.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of the run. [runs/METHOD_ENCODER_DATA]")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Folder, .npz, tfds name or digits.")] = None,
    test: TestOption = None,
    method: Annotated[str | None, typer.Option(help="simclr, moco or byol.")] = None,
    encoder: Annotated[str | None, typer.Option(help="small_resnet, resnet18, ...")] = None,
    image_size: SizeOption = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the schedule.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and views.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, mixed_bfloat16, ...")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any entry of the recipe: key=value.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop in time, between epochs.")] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on with an unfinished run in the folder, or start again.")
    ] = True,
    collapse_alarm: Annotated[bool, typer.Option(help="Warn of a collapsed encoder.")] = True,
    devices: Annotated[
        int | None, typer.Option(help="GPUs that share each batch. Without: a single one.")
    ] = None,
) -> None:
    """Pretrain an encoder from a recipe, from flags, or from a recipe changed by flags.

    The folder of the run gets recipe.yaml, history.csv, method.keras, encoder.keras, results.json
    and a README.md. Press Ctrl-C at any time: the same command goes on after the last whole
    epoch, and ends with the same results.

    Examples:

    - `keras-contrastive pretrain recipe.yaml`

    - `keras-contrastive pretrain --data photos/ --image-size 64 --epochs 200`

    - `keras-contrastive pretrain recipe.yaml --set optimizer.final=1e-5 --run runs/again`
    """
    flags = {
        "data.source": data,
        "data.test": test,
        "method": method,
        "encoder": encoder,
        "data.image_size": image_size,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "optimizer.learning_rate": learning_rate,
        "training.seed": seed,
        "training.precision": precision,
    }
    if devices and keras.backend.backend() == "torch" and not in_processes():
        with explained():
            start_processes(devices)
        return
    with explained() as console, on_devices(devices):
        console.quiet = process_index() != 0
        changes = {key: value for key, value in flags.items() if value is not None}
        changes |= dict(parse_assignment(text) for text in set_ or [])
        plan = override(Recipe.load(recipe) if recipe else Recipe(), changes)
        names = (plan.method.name, plan.encoder.name, Path(plan.data.source).stem)
        folder = run or Path("runs") / "_".join(names).lower()
        results = run_recipe(plan, folder, resume, minutes, collapse_alarm, console)
        if not results:  # those of a run in several processes are the first one's
            return
        console.print(results_table(results))
        if not results["finished"]:
            console.print(f"Stopped after epoch {results['epochs']}; the same command goes on.")
        console.print(f"{folder}  (next: keras-contrastive report {folder})", highlight=False)


@app.command(no_args_is_help=True)
def evaluate(
    encoder: EncoderArgument,
    data: DataArgument,
    test: TestOption = None,
    image_size: SizeOption = None,
    k: Annotated[int, typer.Option(help="Neighbours of the kNN vote.")] = 200,
    temperature: Annotated[float, typer.Option(help="Of the kNN vote.")] = 0.1,
    label_fraction: Annotated[
        list[float] | None, typer.Option(help="Also fine-tune on this share of the labels.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Of the fine-tuning.")] = 30,
    seed: Annotated[int, typer.Option(help="Of the split and the fine-tuning.")] = 0,
    json_file: JsonOption = None,
) -> None:
    """Measure an encoder: kNN, linear and ridge probe, rank and uniformity, few labels.

    Probes choose their settings on a held-out part of the training images; the test images are
    used once.

    Examples:

    - `keras-contrastive evaluate runs/mine digits --k 20`

    - `keras-contrastive evaluate encoder.keras train/ --test val/ --label-fraction 0.01`
    """
    with explained() as console:
        model = from_preset(encoder)
        splits = load_splits(Data(source=data, test=test, image_size=image_size), seed)
        figures = evaluate_encoder(
            model, splits, k, temperature, label_fraction or (), epochs, seed
        )
        console.print(results_table(figures))
        if "labels" in figures:
            console.print(labels_table(figures["labels"]))
        write_json(json_file, {"encoder": encoder, "data": data, "test": test, "k": k, **figures})


@app.command(no_args_is_help=True)
def embed(
    encoder: EncoderArgument,
    data: DataArgument,
    output: Annotated[Path, typer.Argument(help="File to write: .npz or .parquet.")],
    image_size: SizeOption = None,
    batch_size: Annotated[int, typer.Option(help="Images in one forward pass.")] = 256,
) -> None:
    """Write the features of images to a file, with labels and file names where there are any.

    Examples:

    - `keras-contrastive embed runs/mine photos/ features.parquet --image-size 64`
    """
    with explained() as console:
        check_format(output)
        model, loaded = from_preset(encoder), load(data, image_size)
        files = None
        if isinstance(loaded, ImageFolder):
            files = [str(path) for path in loaded.paths]
            loaded = loaded.in_memory()
        features = embed_images(model, loaded.images, batch_size)
        write_features(output, features, loaded.labels, files)
        console.print(f"{len(features):,} × {features.shape[1]} features: {output}")


@app.command(no_args_is_help=True)
def convert(
    file: Annotated[
        Path,
        typer.Argument(
            help="Checkpoint (.pth, .pth.tar, .ckpt, .safetensors; TensorFlow's .index); or a "
            "preset, a run or a .keras file, to write it for others."
        ),
    ],
    to: Annotated[
        Path,
        typer.Option(
            help="Folder (with heads and a card), .keras, .onnx, or .safetensors with "
            "torchvision's names."
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option("--from", help="Format: moco-v2, dino, ... [told by the keys]"),
    ] = None,
    image_size: SizeOption = None,
    num_heads: Annotated[
        int | None, typer.Option(help="Attention heads of a vision transformer.")
    ] = None,
) -> None:
    """Convert a checkpoint of another project into an encoder, or an encoder for others.

    Every key of a checkpoint must be accounted for; files are read without running code that
    they may hold.

    Examples:

    - `keras-contrastive convert moco_v2_800ep_pretrain.pth.tar --to encoders/moco`

    - `keras-contrastive convert resnet50.pth --from torchvision --to encoder.keras`

    - `keras-contrastive convert runs/mine --to encoder.onnx`
    """
    with explained() as console:
        convert_file(file, to, source, image_size, num_heads, console)


@app.command(no_args_is_help=True)
def report(run: Annotated[Path, typer.Argument(help="Folder of a run.")]) -> None:
    """Write report.html into the folder of a run: one page that opens without a network.

    It shows results, training curves, a map of the representation, nearest neighbours, augmented
    views and the settings.

    Examples:

    - `keras-contrastive report runs/simclr_small_resnet_digits`
    """
    with explained() as console:
        console.print(str(write_report(run)))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the run is written.")] = Path(
        "keras_contrastive_demo"
    ),
    smoke: Annotated[bool, typer.Option(help="A few seconds, to see that it runs.")] = False,
) -> None:
    """Everything once, on 1,797 scanned digits, in about two minutes and without a network.

    Pretrains without labels, measures before and after, fine-tunes on few labels, loads the saved
    encoder in plain Keras, and writes a report.
    """
    with explained() as console:
        demos.demo(folder, console, smoke)
