"""Read models: folded in memory, written with their checkpoint in one transaction, rebuilt beside the live one."""
