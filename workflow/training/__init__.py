"""A training run of a generation: what is filled in, where it goes on, what it leaves behind."""

from workflow.training.run import train
from workflow.training.seeds import train_seeds
from workflow.training.summary import summary

__all__ = ["summary", "train", "train_seeds"]
