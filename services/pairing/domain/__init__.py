"""The rules of pairing: pure."""
