"""reporting over HTTP: figures, child lists and cards, and one origin for the browser."""
