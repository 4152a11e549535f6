"""What people are told, and on what: the papers, and the messages that the district owes.

Decides how a paper looks, that no paper has a hole where a name should stand, and when a message counts as
undelivered. Does not decide who is told what: the acts above do, and owe the message in their transaction.
"""
