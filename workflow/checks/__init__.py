"""Checks: inspecting uses the training's preprocessing, engines agree, and how long each layer takes."""
