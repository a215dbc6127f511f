"""Pictures as arrays: scan, split, decode, transform, prepare, batches. Does not use torch."""
