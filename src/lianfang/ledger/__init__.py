"""The information chain: every act of power becomes an entry that three parties hold and countersign.

This room decides what an entry may hold, in which order entries stand, what is signed and published, and what
an erasure leaves behind. It does not decide what is an act, nor whether an act is lawful or in force.
"""
