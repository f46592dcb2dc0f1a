"""The commands on sentences."""

from pathlib import Path
from typing import Annotated

import typer

from keras_contrastive.cli.commands.options import (
    EncoderArgument,
    JsonOption,
    explained,
    write_json,
)
from keras_contrastive.cli.embedding import check_format, write_features
from keras_contrastive.cli.sentences import (
    evaluate_sentences,
    load_sentence_encoder,
    read_lines,
)
from keras_contrastive.cli.tables import results_table

sentences = typer.Typer(
    help="Use and measure encoders of sentences: runs, .keras files, or folders in the layout of "
    "Hugging Face.",
    no_args_is_help=True,
)


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
    with explained() as console:
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
    with explained() as console:
        figures = evaluate_sentences(load_sentence_encoder(encoder), data, test, folds, seed)
        console.print(results_table(figures))
        known = {"encoder": encoder, "data": str(data), "test": test and str(test)}
        write_json(json_file, {**known, **figures})
