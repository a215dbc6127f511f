"""Train a generation: fill in its prototxt, start or resume, and record the run."""

from workflow.training.lending import lend
from workflow.training.run import train
from workflow.training.seeds import train_seeds
from workflow.training.summary import summary

__all__ = ["lend", "summary", "train", "train_seeds"]
