"""Evaluate snapshots: scores, mistakes, changes between generations, and their significance."""
