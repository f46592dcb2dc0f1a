"""Text augmentations: layers on token ids, and functions from sentences to sentences."""
