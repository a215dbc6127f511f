"""Synthesise inputs: maximise a unit, or reconstruct a picture from a layer."""
