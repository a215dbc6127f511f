"""The drawn demo: Pip in many poses against everything else, and the whole loop on it."""
