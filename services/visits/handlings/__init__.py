"""Which streams a command decides on, in which division it takes effect, and who has to be asked before."""
