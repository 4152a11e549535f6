"""Places: one dated tree from the district down to the dwelling. Decides what is where, and since when.

It does not decide who lives there (people) or who may act there (accounts).
"""
