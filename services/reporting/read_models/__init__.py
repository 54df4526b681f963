"""What supervision reads: one file per read model, with its documents, its fold, its indexes and its queries."""
