"""From a wish to a durable fact: look up, load, fold, decide, seal, append; the same for every service."""
