"""What a gate concludes: evidence, clocks, and from a scan to the verdict."""

from __future__ import annotations

from typing import Any

from lianfang_pass import base45, clock_floor, evidence, scan, statuslist, tokens
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.tokens import Flag, PassClass, SlipClaims, SlipKind
from tests.pass_ import world
from tests.pass_.world import DAY, HOME, HOUR, KEY_LIST, NOON, URI

from .lists import whole
from .parts import Case, identity_json, keys_json, slip_json

#: A gate without a compound of its own.
ROAD = ""


def evidence_file() -> Case:
    end = world.a_slip().end
    order, release = world.a_slip(SlipKind.ORDER), world.a_slip(SlipKind.RELEASE)
    lift = world.a_slip(SlipKind.LIFT)
    newer = world.a_slip(
        SlipKind.ORDER,
        issued_at=end - DAY,
        start=end,
        not_before=end,
        end=end + 10 * DAY,
        expires_at=end + 41 * DAY,
    )
    suspended, valid = ListStatus.SUSPENDED, ListStatus.VALID
    during, after = NOON, end + HOUR
    row = evidence.ListRow
    asked: list[tuple[str, int, Any, int | None, bool, list[SlipClaims]]] = [
        ("nothing at all", during, None, None, False, []),
        ("a fresh list, valid", during, row(valid, None, during - 60), during - 10 * DAY, False, []),
        ("a list of exactly 24 h", during, row(valid, None, during - DAY), during - 10 * DAY, False, []),
        ("a list of 24 h and a second", during, row(valid, None, during - DAY - 1), during - 10 * DAY, False, []),
        ("a list of exactly 72 h", during, row(valid, None, during - 3 * DAY), during - 10 * DAY, False, []),
        ("a list of 72 h and a second", during, row(valid, None, during - 3 * DAY - 1), during - 10 * DAY, False, []),
        ("suspended, a second before the end", end - 1, row(suspended, end, during), during - 10 * DAY, False, []),
        ("suspended, at the end", end, row(suspended, end, during), during - 10 * DAY, False, []),
        ("suspended without end", during, row(suspended, None, during), during - 10 * DAY, False, []),
        ("invalid", during, row(ListStatus.INVALID, None, during), during - 10 * DAY, False, []),
        ("refer", during, row(ListStatus.REFER, None, during), during - 10 * DAY, False, []),
        ("the list does not reach so far", during, row(None, None, during), during - 10 * DAY, False, []),
        ("a phone pass newer than the list", during, row(suspended, end, during - DAY), during - HOUR, True, []),
        ("a paper pass newer than the list", during, row(suspended, end, during - DAY), during - HOUR, False, []),
        ("a phone pass and no list", during, None, during - HOUR, True, []),
        ("a phone pass older than the list", during, row(suspended, end, during), during - HOUR, True, []),
        ("release slip before the end", end - 1, row(suspended, end, during), during - 10 * DAY, False, [release]),
        ("release slip at the end, no list", end, None, None, False, [release]),
        ("release slip, list from before the order", after, row(valid, None, release.issued_at - DAY), release.issued_at - DAY, False, [release]),
        ("release slip, list says the same order", after, row(suspended, end, during), during - 10 * DAY, False, [release]),
        ("release slip, a newer list with a later end", after, row(suspended, end + DAY, during), during - 10 * DAY, False, [release]),
        ("release slip, an older list with a later end", after, row(suspended, end + DAY, release.issued_at - 1), during - 10 * DAY, False, [release]),
        ("release slip, a newer list without end", after, row(suspended, None, during), during - 10 * DAY, False, [release]),
        ("release slip and a newer order slip", after, None, None, False, [release, newer]),
        ("release slip and a newer order slip that is over", newer.end, None, None, False, [release, newer]),
        ("lift slip, the list still suspends", during, row(suspended, end, lift.not_before - 1), during - 10 * DAY, False, [lift]),
        ("lift slip, list of the same second", during, row(suspended, end, lift.not_before), during - 10 * DAY, False, [lift]),
        ("lift slip, a later list with an order", during, row(suspended, end, lift.not_before + 1), during - 10 * DAY, False, [lift]),
        ("lift slip, a later list without end", during, row(suspended, None, lift.not_before + 1), during - 10 * DAY, False, [lift]),
        ("lift slip and its order slip", during, None, None, False, [lift, order]),
        ("lift slip and a newer order slip", end, None, None, False, [lift, newer]),
        ("order slip before its start", order.start - 1, None, None, False, [order]),
        ("order slip running, no list", during, None, None, False, [order]),
        ("order slip running, list from before the signature", during, row(valid, None, order.issued_at - 1), order.issued_at - DAY, False, [order]),
        ("order slip running, list between signature and start", during, row(valid, None, order.start - 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list says valid", during, row(valid, None, order.start + 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list has no row", during, row(None, None, order.start + 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list with an earlier end", during, row(suspended, during - 1, during), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list without end", during, row(suspended, None, during), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer phone pass", during, None, during - HOUR, True, [order]),
        ("order slip over, no list", end, None, None, False, [order]),
        ("order slip over, the list knows a later end", after, row(suspended, end + DAY, during), during - 10 * DAY, False, [order]),
    ]  # fmt: skip
    cases = []
    for name, now, listed, signed_at, on_phone, slips in asked:
        weighed = evidence.weigh(
            now=now, row=listed, pass_signed_at=signed_at, on_phone=on_phone, slips=slips
        )
        cases.append(
            {
                "name": name,
                "now": now,
                "row": None
                if listed is None
                else {
                    "status": None if listed.status is None else int(listed.status),
                    "end": listed.end,
                    "signed_at": listed.signed_at,
                },
                "pass_signed_at": signed_at,
                "on_phone": on_phone,
                "slips": [slip_json(slip) for slip in slips],
                "expect": {
                    "status": weighed.status.value,
                    "slip": weighed.slip.value,
                    "known": weighed.known,
                    "evidence": weighed.age(now).value,
                },
            }
        )
    return {
        "about": "Freshest evidence. `row`: what the list held says of the pass (status null: no row), and when it "
        "was signed. Slips are already verified, in their term and of this person.",
        "cases": cases,
    }


def clock_file() -> Case:
    floor = NOON
    cases = []
    for device in (
        0,
        1,
        -1,
        300,
        -300,
        301,
        -301,
        HOUR,
        -HOUR,
        8 * HOUR,
        -8 * HOUR,
        DAY,
        -DAY,
        25 * HOUR,
        -25 * HOUR,
        400 * DAY,
        -400 * DAY,
    ):
        for offset in (0, HOUR):
            used = clock_floor.time_used(device=NOON + device, offset=offset, floor=floor)
            cases.append(
                {
                    "device": NOON + device,
                    "offset": offset,
                    "floor": floor,
                    "expect": {"at": used.at, "in_doubt": used.in_doubt},
                }
            )
    phones = [
        {"differences": d, "expect": clock_floor.phones_disagree(d)}
        for d in (
            [100] * 9,
            [100] * 10,
            [60] * 10,
            [61] * 10,
            [-61] * 10,
            [0] * 6 + [500] * 4,
            [0] * 30 + [90] * 10,
        )
    ]
    return {
        "about": "The time a gate counts with, and the warning from phones.",
        "cases": cases,
        "phones": phones,
    }


def scan_file() -> Case:
    listed, until = whole(17, NOON - HOUR)
    held = scan.Held(
        KEY_LIST,
        {URI: statuslist.accept_list(listed, until, uri=URI, keys=KEY_LIST)},
        floor=NOON - HOUR,
    )
    paper = base45.to_text(world.pass_token(world.a_pass()))
    free = base45.to_text(world.pass_token(world.a_pass(index=12, identity=world.WU)))
    phone_pass = world.pass_token(world.a_phone_pass())
    code = base45.to_text(tokens.sign_code(phone_pass, at=NOON + 20, key=world.HOLDER))
    slips = {k: base45.to_text(world.slip_token(world.a_slip(k))) for k in SlipKind}
    row = scan.StoreRow("12345678-90", URI, 4711, PassClass.PERSON, world.LUO)
    over = scan.StoreRow("12345678-90", URI, 12, PassClass.PERSON, world.WU, NOON - DAY)
    withdrawn = scan.StoreRow("12345678-90", URI, 3, PassClass.PERSON, world.WU, NOON - DAY)
    rested = scan.StoreRow("12345678-90", URI, 4711, PassClass.PERSON, world.WU, NOON - 31 * DAY)
    without = scan.StoreRow(None, None, None, PassClass.PERSON, world.LUO)
    worker = base45.to_text(
        world.pass_token(
            world.a_pass(index=13, kind=PassClass.WORKER, flags=Flag.PAPER | Flag.NOT_CLEARED, zones=("m77",))
        )
    )
    expired = base45.to_text(
        world.pass_token(world.a_pass(issued_at=NOON - 31 * DAY, expires_at=NOON - DAY, index=12))
    )
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("isolated, out of the own compound", {"texts": [paper], "inward": False}, HOME),
        ("isolated, into the own compound", {"texts": [paper], "inward": True}, HOME),
        ("isolated, into another compound", {"texts": [paper], "inward": True}, "m5"),
        ("isolated, out of another compound", {"texts": [paper], "inward": False}, "m5"),
        ("a second before the end", {"texts": [paper], "inward": False, "device_time": 1_581_609_599}, HOME),
        ("at the end", {"texts": [paper], "inward": False, "device_time": 1_581_609_600}, HOME),
        ("free", {"texts": [free], "inward": False}, HOME),
        ("free, list four days old", {"texts": [free], "inward": False, "device_time": NOON + 4 * DAY}, HOME),
        ("free, clock an hour behind", {"texts": [free], "inward": False, "device_time": NOON - 2 * HOUR}, HOME),
        ("isolated, clock a year behind", {"texts": [paper], "inward": False, "device_time": NOON - 365 * DAY}, HOME),
        ("a fresh rotating code", {"texts": [code], "inward": False, "device_time": NOON + 30}, HOME),
        ("at +90 s", {"texts": [code], "inward": False, "device_time": NOON + 110}, HOME),
        ("at +91 s", {"texts": [code], "inward": False, "device_time": NOON + 111}, HOME),
        ("at -90 s", {"texts": [code], "inward": False, "device_time": NOON - 70}, HOME),
        ("at -91 s", {"texts": [code], "inward": False, "device_time": NOON - 71}, HOME),
        ("at +3600 s, elsewhere", {"texts": [code], "inward": True, "device_time": NOON + 3620}, "m5"),
        ("the phone pass without the phone", {"texts": [base45.to_text(phone_pass)], "inward": False}, HOME),
        ("lift slip with the pass", {"texts": [paper, slips[SlipKind.LIFT]], "inward": False}, HOME),
        ("release slip too early", {"texts": [slips[SlipKind.RELEASE], paper], "inward": False}, HOME),
        ("order slip alone, onward at a road checkpoint", {"texts": [slips[SlipKind.ORDER]], "inward": True}, ROAD),
        ("order slip alone, homeward at a road checkpoint", {"texts": [slips[SlipKind.ORDER]], "inward": False}, ROAD),
        ("order slip alone, into a compound", {"texts": [slips[SlipKind.ORDER]], "inward": True}, "m5"),
        ("order slip alone, out of a compound", {"texts": [slips[SlipKind.ORDER]], "inward": False}, "m5"),
        ("order slip alone, into the own compound", {"texts": [slips[SlipKind.ORDER]], "inward": True, "found": row}, HOME),
        ("order slip alone, found at home", {"texts": [slips[SlipKind.ORDER]], "inward": False, "found": row}, HOME),
        ("release slip alone, after the end", {"texts": [slips[SlipKind.RELEASE]], "inward": True, "device_time": 1_581_609_600}, "m5"),
        ("the slip of somebody else", {"texts": [free, slips[SlipKind.ORDER]], "inward": False}, HOME),
        ("the number typed", {"texts": [], "inward": False, "found": row}, HOME),
        ("the number of an expired pass typed", {"texts": [], "inward": False, "found": over}, HOME),
        ("the number of an expired pass typed, inward", {"texts": [], "inward": True, "found": over}, HOME),
        ("a number whose index may have a new holder", {"texts": [], "inward": False, "found": rested}, HOME),
        ("the number of a withdrawn pass typed", {"texts": [], "inward": False, "found": withdrawn}, HOME),
        ("found without any pass", {"texts": [], "inward": False, "found": without}, HOME),
        ("found without any pass, under an order by the slip", {"texts": [slips[SlipKind.ORDER]], "inward": False, "found": without}, HOME),
        ("the number typed, inward", {"texts": [], "inward": True, "found": row}, HOME),
        ("a bad code and the number typed", {"texts": ["LF1:XYZ"], "inward": True, "found": row}, HOME),
        ("nothing", {"texts": [], "inward": False}, HOME),
        ("garbage", {"texts": ["\u0000 hello 你好"], "inward": False}, HOME),
        ("a certificate of another system", {"texts": ["HC1:6BF+70790T9WJWG"], "inward": True}, HOME),
        ("garbage after a good pass", {"texts": [free, "LF1:"], "inward": False}, HOME),
        ("life exit with nothing", {"texts": [], "inward": False, "life_exit": True}, HOME),
        ("life exit, isolated", {"texts": [paper], "inward": False, "life_exit": True}, HOME),
        ("a worker not cleared, own site in", {"texts": [worker], "inward": True}, "m77"),
        ("a worker not cleared, own site out", {"texts": [worker], "inward": False}, "m77"),
        ("a worker not cleared, elsewhere", {"texts": [worker], "inward": True}, "m5"),
        ("an expired pass at home", {"texts": [expired], "inward": True}, HOME),
        ("an expired pass elsewhere", {"texts": [expired], "inward": True}, "m5"),
        ("a fever elsewhere", {"texts": [free], "inward": True, "temperature_high": True}, "m5"),
    ]  # fmt: skip
    cases = []
    for name, values, zone in asked:
        ask = scan.Look(**{"device_time": NOON, **values})
        out = scan.look(ask, gate=scan.Gate(frozenset({zone} - {ROAD})), held=held)
        cases.append(
            {
                "name": name,
                "texts": list(ask.texts),
                "inward": ask.inward,
                "device_time": ask.device_time,
                "found": None
                if ask.found is None
                else {
                    "pass_no": ask.found.pass_no,
                    "list_uri": ask.found.list_uri,
                    "index": ask.found.index,
                    "class": ask.found.kind.value,
                    "ended_at": ask.found.ended_at,
                    **identity_json(ask.found.identity),
                },
                "life_exit": ask.life_exit,
                "temperature_high": ask.temperature_high,
                "compounds": [] if zone == ROAD else [zone],
                "expect": {
                    "verdict": out.decision.verdict.value,
                    "reason": out.decision.reason,
                    "notes": list(out.decision.notes),
                    "situation": {k: getattr(out.situation, k).value for k in out.situation._fields},
                    "time_used": out.time_used,
                    "floor": out.floor,
                    "cti": out.cti.hex() if out.cti else None,
                    "order_end": out.order_end,
                },
            }
        )
    return {
        "about": "From what is shown to the verdict, with one key list and one shard held, offset 0, no rule set.",
        "keys": keys_json(),
        "uri": URI,
        "list": listed.hex(),
        "until": until.hex(),
        "held_floor": held.floor,
        "cases": cases,
    }
