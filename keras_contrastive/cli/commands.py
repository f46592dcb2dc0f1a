"""The commands; what they do is in the modules they call."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import keras
import typer
from rich.console import Console

from keras_contrastive.callbacks import CollapseWarning
from keras_contrastive.cli import demo as demos
from keras_contrastive.cli.convert import convert as convert_file
from keras_contrastive.cli.devices import in_processes, on_devices, start_processes
from keras_contrastive.cli.embedding import check_format, write_features
from keras_contrastive.cli.evaluate import evaluate as evaluate_encoder
from keras_contrastive.cli.overrides import override, parse_assignment
from keras_contrastive.cli.pretrain import pretrain as run_recipe
from keras_contrastive.cli.recipe import Data, Recipe
from keras_contrastive.cli.report import write_report
from keras_contrastive.cli.sentences import (
    evaluate_sentences,
    load_sentence_encoder,
    read_lines,
)
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.cli.tables import labels_table, results_table, verdicts_table, zoo_table
from keras_contrastive.cli.zoo import add, verify
from keras_contrastive.data import ImageFolder, load
from keras_contrastive.evaluation import embed as embed_images
from keras_contrastive.ops.collectives import process_index
from keras_contrastive.presets import find_preset, from_preset, presets, push_to_hub

app = typer.Typer(
    help="Pretrain image encoders without labels, and measure, use and show them.\n\n"
    "KERAS_BACKEND chooses tensorflow, jax or torch.",
    epilog="Start with: keras-contrastive demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
zoo = typer.Typer(help="The pretrained encoders that come with the package.", no_args_is_help=True)
app.add_typer(zoo, name="zoo")
sentences = typer.Typer(
    help="Use and measure encoders of sentences: runs, .keras files, or folders in the layout of "
    "Hugging Face.",
    no_args_is_help=True,
)
app.add_typer(sentences, name="sentences")

EncoderArgument = Annotated[
    str, typer.Argument(help="Name of a preset, folder of a run or preset, or .keras file.")
]
DataArgument = Annotated[
    str, typer.Argument(help="Folder of images, .npz file, tensorflow-datasets name, or `digits`.")
]
TestOption = Annotated[
    str | None, typer.Option(help="Second source to test on. Without: a fifth of the first.")
]
SizeOption = Annotated[int | None, typer.Option(help="Bring images to this height and width.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")]


@contextmanager
def _explained() -> Iterator[Console]:
    """Say what is wrong in a sentence: errors instead of a traceback, and collapses."""
    console = Console()
    try:
        with warnings.catch_warnings():
            show = warnings.showwarning

            def explain(message: Any, category: type[Warning], *args: Any, **kwargs: Any) -> None:
                if issubclass(category, CollapseWarning):
                    console.print(f"[bold yellow]Warning:[/] {message}", highlight=False)
                else:
                    show(message, category, *args, **kwargs)

            warnings.showwarning = explain
            yield console
    except (ValueError, ImportError, OSError) as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("\nInterrupted. The same command goes on after the last whole epoch.")
        raise typer.Exit(130) from None


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
        with _explained():
            start_processes(devices)
        return
    with _explained() as console, on_devices(devices):
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
    with _explained() as console:
        model = from_preset(encoder)
        splits = load_splits(Data(source=data, test=test, image_size=image_size), seed)
        figures = evaluate_encoder(
            model, splits, k, temperature, label_fraction or (), epochs, seed
        )
        console.print(results_table(figures))
        if "labels" in figures:
            console.print(labels_table(figures["labels"]))
        _write_json(json_file, {"encoder": encoder, "data": data, "test": test, "k": k, **figures})


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
    with _explained() as console:
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
            help="PyTorch checkpoint (.pth, .pth.tar, .ckpt, .safetensors); or a preset, a run "
            "or a .keras file, to write it for others."
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
    with _explained() as console:
        convert_file(file, to, source, image_size, num_heads, console)


@app.command(no_args_is_help=True)
def report(run: Annotated[Path, typer.Argument(help="Folder of a run.")]) -> None:
    """Write report.html into the folder of a run: one page that opens without a network.

    It shows results, training curves, a map of the representation, nearest neighbours, augmented
    views and the settings.

    Examples:

    - `keras-contrastive report runs/simclr_small_resnet_digits`
    """
    with _explained() as console:
        console.print(str(write_report(run)))


@zoo.command("list")
def zoo_list(json_file: JsonOption = None) -> None:
    """List the pretrained encoders with what was measured for each."""
    with _explained() as console:
        known = presets()
        console.print(zoo_table(known) if known else "No preset comes with this version.")
        _write_json(json_file, {name: preset.results for name, preset in known.items()})


@zoo.command("add", no_args_is_help=True)
def zoo_add(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    to: Annotated[Path, typer.Option(help="Folder of presets.")] = Path("zoo"),
    name: Annotated[str | None, typer.Option(help="Of the preset. [the run's]")] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option(help="Other data to probe the features on; or TRAIN,TEST. Repeatable."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="Sentences for the top of the card.")] = None,
    limits: Annotated[str | None, typer.Option(help="Sentences for its end.")] = None,
) -> None:
    """Make a preset of a run: weights in half the bytes, figures, a picture and a card.

    Measured on the images of the run's recipe: kNN and probes, 1 % and 10 % of the labels with
    three seeds (linear, fine-tuned, from scratch), rank; and probes on other data. Some minutes
    on one core for a small network; after an interruption the same command goes on.

    Examples:

    - `keras-contrastive zoo add runs/mine --to my_zoo --transfer digits`

    - `keras-contrastive zoo add runs/mine --transfer cells/train.npz,cells/test.npz`
    """
    texts = {"note": note, "limits": limits}
    with _explained() as console:
        folder = to / (name or run.resolve().name)
        given = {key: text for key, text in texts.items() if text is not None}
        preset = add(run, folder, transfer or (), texts=given, console=console)
        console.print(results_table(preset.results))
        console.print(f"{folder}  (next: keras-contrastive zoo verify {folder})", highlight=False)


@zoo.command("verify")
def zoo_verify(
    encoders: Annotated[
        list[str] | None,
        typer.Argument(help="Names or folders of presets. [all that come with it]"),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Training images. [its recipe's]")] = None,
    test: Annotated[str | None, typer.Option(help="Test images.")] = None,
    image_size: SizeOption = None,
) -> None:
    """Compute the kNN accuracy on each card again, from the weights, and say whether it agrees.

    Ends with an error where one does not.

    Examples:

    - `keras-contrastive zoo verify --data cifar10/train.npz --test cifar10/test.npz`

    - `keras-contrastive zoo verify my_zoo/mine`
    """
    with _explained() as console:
        source = Data(source=data, test=test, image_size=image_size) if data else None
        known = [find_preset(name) for name in encoders] if encoders else presets().values()
        verdicts = [verify(preset, source) for preset in known]
        console.print(verdicts_table(verdicts))
        if not all(verdict.agrees for verdict in verdicts):
            raise typer.Exit(1)


@zoo.command("push", no_args_is_help=True)
def zoo_push(
    folder: Annotated[Path, typer.Argument(help="Folder of a preset.")],
    address: Annotated[str, typer.Argument(help="hf://owner/name on the Hugging Face Hub.")],
    private: Annotated[bool, typer.Option(help="Make a new one private.")] = False,
) -> None:
    """Push a preset to the Hugging Face Hub, from where `from_preset` loads it by its address.

    Log in once before, with `hf auth login`, or set HF_TOKEN.

    Examples:

    - `keras-contrastive zoo push my_zoo/mine hf://me/mine`
    """
    with _explained() as console:
        console.print(push_to_hub(folder, address, private), highlight=False)


@sentences.command("embed", no_args_is_help=True)
def embed_sentences(
    encoder: EncoderArgument,
    file: Annotated[Path, typer.Argument(help="Text file with a sentence on each line.")],
    output: Annotated[Path, typer.Argument(help="File to write: .npz or .parquet.")],
    batch_size: Annotated[int, typer.Option(help="Sentences in one forward pass.")] = 64,
) -> None:
    """Write the vectors of sentences to a file, in the order of the lines.

    Examples:

    - `keras-contrastive sentences embed sentences.keras lines.txt vectors.npz`
    """
    with _explained() as console:
        check_format(output)
        vectors = load_sentence_encoder(encoder).encode(read_lines(file), batch_size)
        write_features(output, vectors, None, None)
        console.print(f"{len(vectors):,} × {vectors.shape[1]} features: {output}")


@sentences.command("evaluate", no_args_is_help=True)
def evaluate_sentences_command(
    encoder: EncoderArgument,
    data: Annotated[
        Path,
        typer.Argument(
            help="Table with tabs and named columns: sentence1, sentence2 and score; or label, "
            "with text or with sentence1 and sentence2."
        ),
    ],
    test: Annotated[
        Path | None, typer.Option(help="Table to test labels on. Without: cross-validation.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Parts of the cross-validation.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    json_file: JsonOption = None,
) -> None:
    """Measure a sentence encoder: similarity by rank correlation, or labels by logistic regression.

    Examples:

    - `keras-contrastive sentences evaluate sentences.keras stsb_test.tsv`

    - `keras-contrastive sentences evaluate path/to/all-MiniLM-L6-v2 trec_train.tsv --test trec.tsv`
    """
    with _explained() as console:
        figures = evaluate_sentences(load_sentence_encoder(encoder), data, test, folds, seed)
        console.print(results_table(figures))
        known = {"encoder": encoder, "data": str(data), "test": test and str(test)}
        _write_json(json_file, {**known, **figures})


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
    with _explained() as console:
        demos.demo(folder, console, smoke)


def _write_json(path: Path | None, figures: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf8")
