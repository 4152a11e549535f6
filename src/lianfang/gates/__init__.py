"""Gates: where devices stand, what they may know, what they report; and the publisher of status lists.

This room decides nothing about a person. It computes what the lists must say from orders and passes below,
and stores what devices send, exactly once.
"""
