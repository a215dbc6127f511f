"""A snapshot made ready to be asked: found, read, fitted to its net, with the preprocessing it was trained with."""
