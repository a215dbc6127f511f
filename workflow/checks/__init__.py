"""Proof that a net is shown what it was trained on, that engines agree, and how long each layer takes."""
