"""People: persons, households, guardians, residence, and the one reader that records who read whom.

It decides what is known about a person and who may read which field. It restricts nobody: orders do.
"""
