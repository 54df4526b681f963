"""Figures: counting rules, facts and their step functions over two clocks, the sums they leave, and the questions."""
