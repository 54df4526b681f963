"""Files that may be one child's: how two are compared, which are compared at all, and who hears of it."""
