"""visits: who was seen, what was found, what was done."""
