"""Encoders: functional Keras models that map inputs to one feature vector each."""

from keras_contrastive.encoders.bert import bert
from keras_contrastive.encoders.byte_tokenizer import ByteTokenizer
from keras_contrastive.encoders.keras_file import read_keras_file
from keras_contrastive.encoders.precision import in_float32
from keras_contrastive.encoders.resnet import resnet18, resnet34, resnet50
from keras_contrastive.encoders.sentence_encoder import SentenceEncoder
from keras_contrastive.encoders.small_resnet import small_resnet
from keras_contrastive.encoders.subword_tokenizer import SubwordTokenizer
from keras_contrastive.encoders.text_transformer import text_transformer
from keras_contrastive.encoders.vit import vit
from keras_contrastive.encoders.vocabulary import check_token_ids, vocabulary_size
from keras_contrastive.encoders.wrap import as_encoder

__all__ = [
    "ByteTokenizer",
    "SentenceEncoder",
    "SubwordTokenizer",
    "as_encoder",
    "bert",
    "check_token_ids",
    "in_float32",
    "read_keras_file",
    "resnet18",
    "resnet34",
    "resnet50",
    "small_resnet",
    "text_transformer",
    "vit",
    "vocabulary_size",
]
