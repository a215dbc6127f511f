"""Pages, pictures and words for results."""
