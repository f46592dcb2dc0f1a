"""The entry point of `keras-contrastive`."""

import logging


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: Always, with the exit code.
    """
    try:
        from keras_contrastive.cli.commands import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        raise SystemExit(
            "The command line needs typer and rich: pip install 'keras-contrastive[cli]'."
        ) from None
    # Measuring several encoders in a row makes TensorFlow warn of retracing, which is intended.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    app()
