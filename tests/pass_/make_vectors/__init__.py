"""Write `vectors/pass/*.json` from fixed keys and instants: `python -m tests.pass_.make_vectors`.

Signatures and seals are deterministic here, so the files are the same on every run; a test compares them.
"""

from __future__ import annotations

import json
from pathlib import Path

from . import codes, lists, records, verdicts

FOLDER = Path(__file__).parents[3] / "vectors" / "pass"

FILES = {
    "base45": codes.base45_file,
    "numbers": codes.numbers_file,
    "passes": codes.passes_file,
    "codes": codes.codes_file,
    "slips": codes.slips_file,
    "keylist": lists.keylist_file,
    "lists": lists.lists_file,
    "evidence": verdicts.evidence_file,
    "clock": verdicts.clock_file,
    "receipts": records.receipts_file,
    "sealing": records.sealing_file,
    "rules": records.rules_file,
    "scan": verdicts.scan_file,
}


def text_of(name: str) -> str:
    return json.dumps(FILES[name](), ensure_ascii=False, indent=1) + "\n"
