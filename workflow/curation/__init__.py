"""Find doubtful labels, pictures worth labelling, and near-duplicates."""
