"""Decides what an auditor may look at: one order or one period, for a reason, until a date; hands out the evidence,
draws the sample, opens identities one by one. Does not decide whether anything was lawful; that is the auditor's work.
"""
