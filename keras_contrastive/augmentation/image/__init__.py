"""Image augmentations, one concept a file."""
