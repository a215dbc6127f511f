"""Seeing with the network's eyes: gradients, maps on the input, and pictures made to excite it. Always on torch."""
