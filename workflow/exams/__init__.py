"""The pictures that snapshots are evaluated on: test sets and folders, and the cached answers."""
