"""Exams of snapshots: what each answered, how good that is, what changed between generations, and why."""
