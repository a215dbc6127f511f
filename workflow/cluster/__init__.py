"""Work on many items, cut into parts, done by a crew: parts, works, results, receipts."""
