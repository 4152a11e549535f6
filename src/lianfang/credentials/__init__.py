"""Keys, passes, slips and status files: who may show what at a gate, and how a gate can check it alone.

Holders are opaque ids; this room knows no person, no place and no order. Whether somebody may be given or
denied a pass is decided by the room that calls; whether a pass is suspended is computed above and handed in.
"""
