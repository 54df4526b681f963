"""Papers and pictures kept with children's files: their bytes, sealed, outside the log."""
