"""Pictures as arrays: scan and split of folders, the one decode, the one transform, prepare, batches. No torch."""
