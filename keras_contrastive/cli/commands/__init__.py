"""The commands; what they do is in the modules they call."""

from keras_contrastive.cli.commands.images import app
from keras_contrastive.cli.commands.sentences import sentences
from keras_contrastive.cli.commands.zoo import zoo

app.add_typer(zoo, name="zoo")
app.add_typer(sentences, name="sentences")

__all__ = ["app"]
