"""What an organ tells everybody: drafted, reviewed by another, signed and published, and never changed after that.

Decides who may announce what for which area, when an announcement holds, and which text its entry in the chain is
about. Restricts nobody: orders and acts on gates do, and an announcement that speaks of one only tells of it.
"""
