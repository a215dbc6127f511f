"""How good snapshots are: scores, mistakes, what changed between generations, and whether chance explains it."""
