"""What rules were published and until when stands in the chain: a version in an order stands for one text (L-5)."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.ledger.errors import RestoredOlder
from lianfang.ledger.models import Entry, Tree
from lianfang.rules import actions, chain_rows
from lianfang.rules.models import Document
from lianfang_chain.entry import Act
from lianfang_chain.entry import Entry as ChainEntry
from tests.factories.accounts import client_for
from tests.factories.ledger import past_the_triggers
from tests.factories.orders import ROOT, S1_NOW, a_rule_draft, an_incident, officer

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
LAST = date(2020, 2, 10)


@pytest.fixture(autouse=True)
def _incident() -> None:
    an_incident()


def a_published(**changes: object) -> Document:
    draft = a_rule_draft(**changes)
    actions.draft_document(draft, by=officer(Role.CDC))
    actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))
    return Document.objects.get(pk=draft.id)


def ended() -> Document:
    document = a_published()
    actions.end_document(document.pk, last_day=LAST, by=officer(Role.CDC))
    return Document.objects.get(pk=document.pk)


def act_of(entry: UUID | None) -> Act:
    assert entry is not None
    return ChainEntry.parse(bytes(Entry.objects.get(pk=entry).data)).act


def test_the_entry_binds_the_version_to_the_file_that_everybody_fetches() -> None:
    document = a_published(effective_to=date(2020, 3, 31))
    act = act_of(document.entry_id)
    file = Client().get(reverse("rules:text", args=[document.pk])).content
    assert (act.kind, act.act_id, act.scope) == ("rules:document:published", document.pk, ROOT)
    assert act.terms == {
        "rule": document.version,
        "sha256": sha256(file).hexdigest(),
        "from": "2020-01-20",
        "until": "2020-03-31",
    }
    # As docs/chain.md says it, with what any language has.
    said = json.loads(file)
    assert (said["version"], said["content"]["days"]) == (document.version, 7)
    assert file == (json.dumps(said, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def test_the_end_is_an_entry_of_its_own_and_the_file_stays() -> None:
    document = a_published()
    before = Client().get(reverse("rules:text", args=[document.pk])).content
    actions.end_document(document.pk, last_day=LAST, by=officer(Role.CDC))
    actions.end_document(document.pk, last_day=LAST, by=officer(Role.CDC))  # sent twice, done once
    document.refresh_from_db()
    act = act_of(document.ended_entry_id)
    assert (act.kind, act.terms) == (
        "rules:document:ended",
        {"rule": document.version, "until": "2020-02-10"},
    )
    assert document.entry_id is not None
    assert act.prior == bytes(Entry.objects.get(pk=document.entry_id).leaf_hash)
    assert Client().get(reverse("rules:text", args=[document.pk])).content == before
    assert Entry.objects.filter(kind="rules:document:ended").count() == 1
    assert chain_rows.chain_faults() == []


def test_what_ships_stands_in_the_chain_and_a_draft_does_not() -> None:
    assert chain_rows.chain_faults() == []
    published = Document.objects.exclude(published_at=None)
    assert published.filter(entry=None).count() == 0
    assert Entry.objects.filter(kind="rules:document:published").count() == published.count() > 20
    draft = a_rule_draft()
    actions.draft_document(draft, by=officer(Role.CDC))
    assert Client().get(reverse("rules:text", args=[draft.id])).status_code == 404
    actions.end_document(draft.id, last_day=LAST, by=officer(Role.CDC))
    assert Document.objects.get(pk=draft.id).ended_entry_id is None


@pytest.mark.parametrize(
    "change",
    [
        """content = jsonb_set(content, '{days}', '21')""",
        "version = version || 'x'",
        "effective_from = '2020-01-21'",
        "effective_to = '2020-03-01'",
        "title = 'x'",
        "jurisdiction = '51'",
    ],
)
def test_a_rule_that_was_changed_past_the_act_is_found(change: str) -> None:
    document = a_published()
    past_the_triggers(f"UPDATE rules_document SET {change} WHERE id = %s", document.pk)
    said = f"the chain does not say what the row of entry {document.entry_id} says"
    assert chain_rows.chain_faults() == [f"rules:document:published: {said}"]


def test_an_end_that_was_moved_or_taken_away_is_found() -> None:
    document = ended()
    past_the_triggers("UPDATE rules_document SET effective_to = '2020-02-11' WHERE id = %s", document.pk)
    said = f"the chain does not say what the row of entry {document.ended_entry_id} says"
    assert chain_rows.chain_faults() == [f"rules:document:ended: {said}"]
    past_the_triggers(
        "UPDATE rules_document SET effective_to = NULL, ended_entry_id = NULL WHERE id = %s", document.pk
    )
    kind = "rules:document:ended"
    assert chain_rows.chain_faults() == [
        f"entry {document.ended_entry_id} ({kind}): there is no row of {document.pk}",
        f"entry {document.ended_entry_id} ({kind}): there is no row of it",
    ]


def test_a_document_that_was_put_in_force_without_the_chain_is_found() -> None:
    draft = a_rule_draft()
    actions.draft_document(draft, by=officer(Role.CDC))
    past_the_triggers("UPDATE rules_document SET published_at = %s WHERE id = %s", S1_NOW, draft.id)
    assert chain_rows.chain_faults() == [f"document {draft.id}: it was published and has no entry"]


def test_what_was_published_before_there_were_entries_is_no_fault_and_can_be_ended() -> None:
    """As an older version left it."""
    draft = a_rule_draft()
    actions.draft_document(draft, by=officer(Role.CDC))
    past_the_triggers(
        "UPDATE rules_document SET published_at = '2020-01-19T00:00:00Z' WHERE id = %s", draft.id
    )
    assert chain_rows.chain_faults() == []
    page = client_for(Role.CMD_LEAD).get(f"/desk/rules/{draft.id}/").content.decode()
    assert "发布早于规则入账，没有信息链记录" in page
    actions.end_document(draft.id, last_day=LAST, by=officer(Role.CDC))
    assert act_of(Document.objects.get(pk=draft.id).ended_entry_id).prior is None
    assert chain_rows.chain_faults() == []


def test_the_entries_of_a_document_stay_named_past_the_act() -> None:
    document = ended()
    for column in ("entry_id", "ended_entry_id"):
        with (
            pytest.raises(IntegrityError, match="does not change"),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(f"UPDATE rules_document SET {column} = NULL WHERE id = %s", [document.pk])


def test_while_a_restored_database_waits_no_rule_begins_or_ends() -> None:
    """Rules restrict by what they allow to be ordered; and to end one frees nobody, for orders keep theirs."""
    document, draft = a_published(), a_rule_draft(subject="close_contact", jurisdiction="51")
    actions.draft_document(draft, by=officer(Role.CDC))
    Tree.objects.update_or_create(pk=1, defaults={"suspended": "more", "suspended_at": S1_NOW})
    with pytest.raises(RestoredOlder):
        actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))
    with pytest.raises(RestoredOlder):
        actions.end_document(document.pk, last_day=LAST, by=officer(Role.CDC))
    document.refresh_from_db()
    assert document.effective_to is None
    assert Document.objects.get(pk=draft.id).published_at is None


def test_pages_say_how_far_the_entries_have_come() -> None:
    document = ended()
    mark = f'<a class="lf-chain is-recorded" href="/open/chain/entry/{document.entry_id}/"'
    text = reverse("rules:text", args=[document.pk])
    for answer in (Client().get("/open/rules/"), client_for(Role.GRID).get("/desk/rules/")):
        assert mark in answer.content.decode()
        assert text in answer.content.decode()
    page = client_for(Role.GRID).get(f"/desk/rules/{document.pk}/").content.decode()
    assert page.count("看证明") == page.count("已入账，尚未见证") == 2
