"""How a child stands on a day, for services that judge what is told of it: what registry's events say, and no more."""
