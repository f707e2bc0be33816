"""A picture of every data set: one module a simulator, each with ``PICTURES``, a dict of set to drawing function.

A drawing function takes an empty figure (or part of one), draws a few events of a small sample, and returns the text
for people who cannot see it. `dlphys.plotting.gallery` puts them together.
"""
