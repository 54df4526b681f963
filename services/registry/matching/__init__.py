"""Matching: a list of others (school, clinic, allowances) is held against the files, and either lacks what (S26)."""
