"""Nets on paper: which layers, how wired, what is filled in. No torch, no data."""
