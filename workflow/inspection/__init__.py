"""Looking at pictures with a trained net: load a model, inspect one picture, label many, verify the path."""
