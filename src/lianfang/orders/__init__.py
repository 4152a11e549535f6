"""Orders on persons: who may order isolation, from when until when, and how it ends.

It decides every restriction of a person, and nothing else in the system does. It does not decide who is a
person of concern (`concerns`), what a gate shows (`gates`) or how a paper looks (`messaging`).
"""
