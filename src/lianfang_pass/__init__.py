"""Passes, pure: strict tokens, status lists, slips and the verdict of a gate."""
