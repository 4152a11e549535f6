"""The file of a device without network: stored like an upload, receipted, once, whoever brings it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.gates.models import CarriedFile, Conflict, Contact
from lianfang_chain import cbor
from lianfang_pass.exported import decode_export, encode_export, runs_without
from lianfang_pass.passages import Batch, accept_receipt
from tests.factories.accounts import client_for

from .asgi import FakeDevice
from .test_front import AREA, a_gate, enrolled, run, stored

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]


def a_device(*, sent: int = 0, reason: str = "OK") -> FakeDevice:
    """A device that has sent its first rows over the network."""
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        if sent:
            batch = device.batch(1, [device.row(seq, reason=reason) for seq in range(1, sent + 1)])
            assert (await device.upload(batch)).status == 201
        return device

    device: FakeDevice = run(story)
    return device


def the_file(device: FakeDevice, last: int, *, size: int = 4) -> tuple[bytes, list[Batch]]:
    seqs = range(1, last + 1)
    batches = [
        device.batch(n, [device.row(seq) for seq in seqs[n - 1 : n - 1 + size]])
        for n in range(1, last + 1, size)
    ]
    return encode_export(batches), batches


def bring(client: Client, data: bytes) -> Any:
    return client.post(reverse("gates:bring"), {"file": SimpleUploadedFile("a.gate", data)})


def receipts(client: Client, answer: Any, device: FakeDevice) -> tuple[list[Any], list[Any]]:
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer["Location"])
    assert page.status_code == 200
    said: Any = cbor.decode(client.get(answer["Location"] + "receipts/").content)
    assert device.keys is not None
    return [accept_receipt(one, keys=device.keys) for one in said[2]], said[3]


def test_a_file_is_stored_once_whoever_brings_it_and_the_receipts_cover_it() -> None:
    device = a_device(sent=3)
    data, batches = the_file(device, 10)
    guard, community = client_for(Role.GUARD, AREA), client_for(Role.COMMUNITY, AREA.rpartition(".")[0])
    for client in (guard, community):
        found, other = receipts(client, bring(client, data), device)
        assert other == []
        assert [r.covers(b) for r, b in zip(found, batches, strict=True)] == [True] * 3
    assert stored() == [(device.id, seq) for seq in range(1, 11)]
    assert Contact.objects.get().stored == 10
    row = CarriedFile.objects.get()
    assert [(line["rows"], line["new"], line["other"]) for line in row.found] == [(10, 7, 0)]
    page = guard.get(reverse("gates:post", args=[device.gate])).content.decode()
    assert row.brought_as in page
    longer, _ = the_file(device, 12)
    receipts(guard, bring(guard, longer), device)
    assert len(stored()) == 12


def test_other_content_is_kept_and_named_and_the_rest_is_receipted() -> None:
    device = a_device(sent=2, reason="LIST_OLD")
    data, (batch, *_) = the_file(device, 4)
    client = client_for(Role.GUARD, AREA)
    found, other = receipts(client, bring(client, data), device)
    assert device.id is not None
    assert other == [[device.id.bytes, [1, 2]]]
    assert [r.covers(Batch(batch.device, 3, batch.rows[2:])) for r in found] == [True]
    assert Conflict.objects.count() == 2
    assert len(stored()) == 4


def test_a_file_of_another_area_or_of_nobody_stores_nothing() -> None:
    device = a_device()
    data, batches = the_file(device, 4)
    elsewhere = client_for(Role.GUARD, "d510402.s510402002.c510402002001")
    assert bring(elsewhere, data).status_code == 422
    stranger = encode_export([*batches, Batch(bytes(16), 1, batches[0].rows)])
    client = client_for(Role.GUARD, AREA)
    assert bring(client, stranger).status_code == 422
    for wrong in (data[:-1], data + b"x", b"\x80", b"<html>", cbor.encode([1])):
        assert bring(client, wrong).status_code == 422
    assert client_for(Role.CMD_DUTY).get(reverse("gates:bring")).status_code == 403
    assert stored() == []
    answer = bring(client, data)
    assert elsewhere.get(answer["Location"]).status_code == 404
    assert elsewhere.get(answer["Location"] + "receipts/").status_code == 404


def test_who_brought_it_stands_for_good() -> None:
    device = a_device()
    bring(client_for(Role.GUARD, AREA), the_file(device, 1)[0])
    for statement in ("UPDATE gates_carriedfile SET brought_as = 'x'", "DELETE FROM gates_carriedfile"):
        with (
            pytest.raises(IntegrityError, match="carried_file_stays_as_brought"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_runs_leave_out_exactly_the_numbers_named() -> None:
    batch = Batch(bytes(16), 5, tuple(bytes([n]) * 90 for n in range(6)))
    for left_out in ([], [5], [10], [7, 8], [5, 7, 10], list(range(5, 11))):
        runs = runs_without(batch, left_out)
        kept = {run.from_seq + n: row for run in runs for n, row in enumerate(run.rows)}
        assert kept == {5 + n: row for n, row in enumerate(batch.rows) if 5 + n not in left_out}
        assert all(a.to_seq + 1 < b.from_seq for a, b in pairwise(runs))
    assert decode_export(encode_export([batch])) == [batch]
