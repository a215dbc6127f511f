"""The activations for a picture: grids, side by side, during training, and over generations."""
