"""The import desk: ledgers as offices keep them become commands, each row judged on its own (domain 8.2)."""
