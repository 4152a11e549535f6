"""Reports that call for a look: arrivals, symptoms, persons of concern. They restrict nobody.

A report is answered at once from dated rules; one that needs an officer lapses
by itself if no officer decides.
"""
