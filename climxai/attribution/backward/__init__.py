"""Backward passes that are not the gradient: the graph is run with some operators replaced."""
