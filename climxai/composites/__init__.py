"""Composites: many relevance maps turned, one block at a time, into the few that carry the science.

`settings` says what is asked, `select` which map goes to which class, `normalise` what is done to a
map before it is averaged, `reductions` how statistics are gathered from pieces, `composite` puts
them together, `summary` gives the numbers that say how far to trust the result.
"""
