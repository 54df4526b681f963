"""The rules of registry: pure, one file per aggregate with its state, its commands, decide and evolve."""
