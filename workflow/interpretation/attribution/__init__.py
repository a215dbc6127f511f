"""Attribute an answer to places, channels, and simple changes of the picture."""
