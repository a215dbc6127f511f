"""Explain a snapshot's answers: activations, attribution, examples, and synthesised inputs."""
