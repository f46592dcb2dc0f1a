"""What the commands share: arguments, errors in a sentence, figures as JSON."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

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
def explained() -> Iterator[Console]:
    """Say what is wrong in a sentence: no traceback of an error, no line of code of a warning."""
    console = Console()
    try:
        with warnings.catch_warnings():
            show = warnings.showwarning

            def explain(message: Any, category: type[Warning], *args: Any, **kwargs: Any) -> None:
                if issubclass(category, UserWarning):
                    console.print(
                        f"[bold yellow]Warning:[/] {escape(str(message))}", highlight=False
                    )
                else:
                    show(message, category, *args, **kwargs)

            warnings.showwarning = explain
            yield console
    except (ValueError, ImportError, OSError) as error:
        # Brackets in a message, as in pip install 'keras-contrastive[hub]', are no markup.
        text = f"[bold red]Error:[/] {escape(str(error))}"
        Console(stderr=True).print(text, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("\nInterrupted. The same command goes on after the last whole epoch.")
        raise typer.Exit(130) from None


def write_json(path: Path | None, figures: dict[str, Any]) -> None:
    """Write figures to a file, if there is to be one."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf8")
