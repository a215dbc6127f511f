"""Which labels to doubt, what to label next, and which pictures are nearly the same."""
