"""The export of one person's file: all that the logs of all services hold, for whoever has a right to a copy."""
