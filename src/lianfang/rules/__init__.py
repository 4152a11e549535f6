"""Dated documents as data: terms of isolation, competence, reasons, caps, remedies; the incident.

It answers which document is in force for a place on a day. It decides about nobody.
"""
