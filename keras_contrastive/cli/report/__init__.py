"""A run as one page of HTML that opens from disk, without a network."""

from keras_contrastive.cli.report.write import write_report

__all__ = ["write_report"]
