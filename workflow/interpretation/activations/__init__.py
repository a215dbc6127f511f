"""What the layers hold for a picture: grids, side by side, over a training run and over generations."""
