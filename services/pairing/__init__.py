"""pairing: helpers and the children they are paired with."""
