"""Pictures put to snapshots: test sets and folders, the answers to them, and where answers are kept."""
