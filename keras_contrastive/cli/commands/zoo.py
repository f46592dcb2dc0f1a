"""The commands on presets."""

from pathlib import Path
from typing import Annotated

import typer

from keras_contrastive.cli.commands.options import JsonOption, SizeOption, explained, write_json
from keras_contrastive.cli.recipe import Data
from keras_contrastive.cli.tables import results_table, verdicts_table, zoo_table
from keras_contrastive.cli.zoo import add, verify
from keras_contrastive.presets import find_preset, presets, push_to_hub

zoo = typer.Typer(help="The pretrained encoders that come with the package.", no_args_is_help=True)


@zoo.command("list")
def zoo_list(json_file: JsonOption = None) -> None:
    """List the pretrained encoders with what was measured for each."""
    with explained() as console:
        known = presets()
        console.print(zoo_table(known) if known else "No preset comes with this version.")
        write_json(json_file, {name: preset.results for name, preset in known.items()})


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
    with explained() as console:
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
    with explained() as console:
        source = Data(source=data, test=test, image_size=image_size) if data else None
        stated = [preset for preset in presets().values() if "knn" in preset.results]
        known = [find_preset(name) for name in encoders] if encoders else stated
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
    with explained() as console:
        console.print(push_to_hub(folder, address, private), highlight=False)
