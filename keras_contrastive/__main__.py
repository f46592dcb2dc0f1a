"""`python -m keras_contrastive` is the command line."""

from keras_contrastive.cli.app import main

if __name__ == "__main__":
    main()
