"""Data: sources in memory and in folders, batches with their row numbers, checks and splits."""

from keras_contrastive.data.arrays import digits, from_arrays, from_npz
from keras_contrastive.data.batches import Batches, Indexed, Rows, indexed
from keras_contrastive.data.captions import CaptionedImages
from keras_contrastive.data.checks import check_images, check_labels
from keras_contrastive.data.class_batches import ClassBatches
from keras_contrastive.data.folder import ImageFolder
from keras_contrastive.data.hard_negatives import mine_hard_negatives
from keras_contrastive.data.load import load
from keras_contrastive.data.no_duplicates import NoDuplicateBatches
from keras_contrastive.data.positives import WithPositives, with_positives
from keras_contrastive.data.sentence_pairs import SentencePairs, sentence_pairs
from keras_contrastive.data.source import Source
from keras_contrastive.data.split import train_holdout_split
from keras_contrastive.data.tfds import from_tfds

__all__ = [
    "Batches",
    "CaptionedImages",
    "ClassBatches",
    "ImageFolder",
    "Indexed",
    "NoDuplicateBatches",
    "Rows",
    "SentencePairs",
    "Source",
    "WithPositives",
    "check_images",
    "check_labels",
    "digits",
    "from_arrays",
    "from_npz",
    "from_tfds",
    "indexed",
    "load",
    "mine_hard_negatives",
    "sentence_pairs",
    "train_holdout_split",
    "with_positives",
]
