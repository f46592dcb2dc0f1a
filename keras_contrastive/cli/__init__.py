"""The command line, `keras-contrastive`, and what it is made of for use from Python."""
