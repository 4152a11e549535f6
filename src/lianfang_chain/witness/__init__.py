"""A witness and mirror: a small program with which one of the three parties holds and countersigns the chain."""
