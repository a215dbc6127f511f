"""Training pictures that explain: those that excite a channel, and the nearest of a class."""
