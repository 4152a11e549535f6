"""What goes on a board is proved by software that asks nobody: read off the print, the hash is that of the file."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageFilter

from lianfang.announcements import prints, queries
from lianfang.kernel import clock
from lianfang.ledger import queries as ledger
from lianfang.ledger import sequencer
from lianfang.messaging import typeset
from lianfang.messaging.papers import Lang
from lianfang.messaging.press import Press
from lianfang_chain.organs import Organs
from lianfang_chain.policy import Policy
from lianfang_chain.proof import from_qr_text, verify_paper_proof
from lianfang_chain.verify import PROVED, say
from tests.factories.announcements import a_published
from tests.factories.places import a_district
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures
from tests.pictures import qr_codes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("ppi", "blur", "lang"), [(300, 1.5, Lang.ZH), (144, 0.5, Lang.BOTH)])
def test_the_code_on_the_sheet_proves_the_file_on_the_page(
    parties: Any,  # noqa: F811 - the fixture
    ppi: int,
    blur: float,
    lang: Lang,
) -> None:
    a_district()
    row = a_published(title_en="On testing", body_en="One.")
    press = Press("https://lianfang.example", lang, demo=True)
    assert prints.sheet(queries.published(row.pk, clock.now()), press).proof is None
    sequencer.run_once(clock.now())
    sheet = prints.sheet(queries.published(row.pk, clock.now()), press)
    assert sheet.chain.witnessed
    (page,) = typeset.pictures([sheet], at=clock.now(), ppi=ppi)
    picture = Image.open(BytesIO(page)).convert("L").filter(ImageFilter.GaussianBlur(blur))
    address, proof = sorted((found.text for found in qr_codes(picture)), key=len)
    own = reverse("announcements:open_one", args=[row.pk])
    assert address == f"https://lianfang.example{own}"
    policy = Policy.parse(ledger.policy_text())
    code, words = say(proof.encode(), policy, organs=Organs.open(ledger.organs_list(), policy))
    assert code == PROVED, words
    assert f"signed by {row.organ}," in words
    entry = verify_paper_proof(from_qr_text(proof), policy).entry
    assert entry is not None
    file = Client().get(reverse("announcements:text", args=[row.pk])).content
    assert entry.act.terms["sha256"] == sha256(file).hexdigest()
    shown = Client().get(own).content.decode()
    assert reverse("ledger:paper_proof", args=[row.entry_id]) in shown
    assert "已见证" in shown
