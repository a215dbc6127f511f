"""Training pictures as explanations: those that activate a channel most, and the nearest of a class."""
