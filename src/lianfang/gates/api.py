"""What gates and phones may ask, as the description of the machine interface shows it (docs/gates.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lianfang.kernel.operations import Body, Operation
from lianfang.kernel.surfaces import Repeat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CBOR: Final = "application/cbor"
CWT: Final = "application/cwt"


class PhoneEnrolment(msgspec.Struct, frozen=True):
    """A key of the phone to be bound to a pass."""

    code: str  # the one-time code handed out by the community
    key: str  # COSE_Key (P-256) in CBOR, base64url


class PhoneRenewal(msgspec.Struct, frozen=True):
    """The phone's proof that it holds the key."""

    proof: str  # a rotating code of this instant, `LF1:…`


class PhonePasses(msgspec.Struct, frozen=True, rename={"token": "pass"}):
    """What this phone carries from now on."""

    token: str  # the personal pass, base64url; also the first of the following
    passes: list[str]  # and one for each work that was granted for the phone


class PhoneRefusal(msgspec.Struct, frozen=True):
    """Why not, and what to do."""

    refused: str  # code of the refusal
    sentence: str


def _refused(says: str, *codes: str) -> Body:
    named = " / ".join(f'"{code}"' for code in codes)
    return Body(media=CBOR, says=says, shape=f"{{1: {named}, 2: tstr}}")


_NO_FORM: Final = _refused("格式不对 / not in the form of docs/gates.md", "form")
_NOT_KNOWN: Final = _refused(
    "设备未登记、已停用（3 为签名的停用通知），或时间不对 / not enrolled, withdrawn (3: the signed word of it), or the clock is off",
    "device",
    "time",
)
_NOT_THERE: Final = _refused("不是本设备的卡口或名单 / not of this device's gate or lists", "not_found")
_BUSY: Final = _refused("暂时不能答复，10 秒内随机再试 / not now; ask again after 0-10 s", "busy")
_LARGE: Final = _refused("一次发送过多 / more than 500 rows or 65,535 bytes", "large")
_TAG: Final = {"If-None-Match": '已有的版本，形如 "12" / the version held, as in the ETag'}
_SAME: Final = "没有变化 / nothing newer"
_UPLOAD: Final = "{1: 1, 2: bstr .size 16, 3: uint, 4: [1*500 bstr]}"
_GATE: Final = frozenset({"gate"})


def _receipt(says: str) -> Body:
    return Body(
        media=CWT,
        says=says,
        shape='{1: "LF", 6: uint, -65542: {1: bstr .size 16, 2: uint, 3: uint, 4: bstr .size 32}}',
    )


_READING: Final[Mapping[int, Body | str]] = {304: _SAME, 401: _NOT_KNOWN, 404: _NOT_THERE, 503: _BUSY}
_SENDING: Final[Mapping[int, Body | str]] = {
    400: _NO_FORM, 401: _NOT_KNOWN, 404: _NOT_THERE, 413: _LARGE, 503: _BUSY,
}  # fmt: skip

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        name="gate_keys",
        says="密钥清单 / the list of purpose keys, signed by the root key",
        path="/keys",
        headers=_TAG,
        answers={
            200: Body(
                media=CWT,
                says="密钥清单 / key list",
                shape='{1: "LF", 6: uint, 4: uint, -65538: uint,'
                " -65541: {1: 1, 2: [* {1: COSE_Key, 2: tstr, 3: uint, 4: uint, ? 5: uint}]}}",
            ),
            304: _SAME,
            503: _BUSY,
        },
    ),
    Operation(
        name="status_list",
        says="整份状态名单 / the whole status list of a shard",
        path="/s/{shard}",
        proof="device",
        headers=_TAG,
        answers={
            200: Body(
                media=CWT,
                says="状态名单 / status list",
                shape='{1: "LF", 2: tstr, 6: uint, 4: uint, 65534: 25, 65533: {"bits": 2, "lst": bstr}, -65538: uint}',
            ),
            **_READING,
        },
    ),
    Operation(
        name="until_list",
        says="各令的结束时间 / the ends of the orders in the newest list",
        path="/s/{shard}/u",
        proof="device",
        headers=_TAG,
        answers={
            200: Body(
                media=CWT,
                says="结束时间名单 / until list",
                shape='{1: "LF", 2: tstr, 6: uint, 4: uint, -65538: uint, -65540: {1: 1, 2: uint, 3: bstr}}',
            ),
            **_READING,
        },
    ),
    Operation(
        name="status_deltas",
        says="某版本以后的变化，可长轮询 / changes after a version; waits for the next one",
        path="/s/{shard}/d",
        proof="device",
        query={
            "v": ({"type": "integer", "minimum": 0}, "已有的版本 / the version held"),
            "wait": (
                {"type": "number", "minimum": 0, "maximum": 25, "default": 0},
                "最多等几秒 / how long to wait, in seconds",
            ),
            "last": (
                {"type": "integer", "minimum": 0, "maximum": 10**15 - 1, "default": 0},
                "本机写过的最大记录序号 / the highest number of a passage that this device has written",
            ),
        },
        answers={
            200: Body(media=CBOR, says="已签名的变化 / signed deltas", shape="[1*200 bstr]"),
            304: "这段时间没有变化 / nothing came within the time",
            400: _NO_FORM,
            401: _NOT_KNOWN,
            404: _NOT_THERE,
            410: _refused("版本太旧，请取整份 / too old: take the whole list", "version"),
            503: _BUSY,
        },
    ),
    Operation(
        name="enrol_gate_device",
        says="登记卡口设备 / enrol a device with the one-time code of the desk",
        method="post",
        path="/api/v1/gates/enrol",
        repeat=Repeat.SAME,
        takes=Body(
            media=CBOR,
            says="一次性代码和设备公钥 / one-time code and the device's key",
            shape="{1: 1, 2: bstr .size 16, 3: COSE_Key}",
        ),
        answers={
            201: Body(
                media=CBOR,
                says="已登记 / enrolled; the same code and key again give the same answer",
                shape="{1: 1, 2: bstr .size 16, 3: bstr .size 16, 4: tstr, 5: [* tstr], 6: [* tstr], 7: COSE_Key,"
                ' 8: bstr, 9: tstr, 10: "compound" / "road" / "site" / "venue", 11: [* tstr]}',
            ),
            400: _NO_FORM,
            403: _refused("代码不对或过期 / the code is unknown or too old", "code"),
            409: _refused("代码已被别的设备使用 / the code was used with another key", "code"),
            413: _LARGE,
            503: _BUSY,
        },
    ),
    Operation(
        name="gate_compound",
        says="本小区通行证存表 / the store of the own compounds: looked up, never listed",
        path="/api/v1/gates/{gate}/compound",
        uuids=_GATE,
        proof="device",
        headers={"If-None-Match": _TAG["If-None-Match"]},
        answers={
            200: Body(
                media=CBOR,
                says="存表 / store",
                shape="{1: 1, 2: [* [tstr, tstr, uint, tstr, tstr, uint / null, tstr, uint / null]], "
                "3: [* [tstr, uint / null, tstr, uint / null, tstr / null, uint / null, tstr]], "
                "4: [* [tstr, tstr, uint, tstr, tstr, uint / null, tstr, uint / null, uint]]}",
            ),
            **_READING,
        },
    ),
    Operation(
        name="gate_post",
        says="本卡口的名称、电话、小区、名单和类型；改了就换 / the own post as it is called now: name, phone, compounds, lists, kind",
        path="/api/v1/gates/{gate}/post",
        uuids=_GATE,
        proof="device",
        headers={"If-None-Match": _TAG["If-None-Match"]},
        answers={
            200: Body(
                media=CBOR,
                says="与登记答复的同号字段相同 / the fields of the answer to the enrolment, by the same numbers",
                shape='{1: 1, 4: tstr, 5: [* tstr], 6: [* tstr], 9: tstr, 10: "compound" / "road" / "site" / "venue", 11: [* tstr]}',
            ),
            **_READING,
        },
    ),
    Operation(
        name="gate_rules",
        says="在生效的限次与封控令 / quota and perimeter acts in force, signed",
        path="/api/v1/gates/{gate}/rules",
        uuids=_GATE,
        proof="device",
        query={
            "ages": (
                {"type": "integer", "enum": [1]},
                "能读证据时限（字段 4）时写 1；不写就不含这个字段 / 1 of a client that reads field 4; without it the set has none",
            ),
        },
        headers=_TAG,
        answers={
            200: Body(
                media=CWT,
                says="规则集 / rule set",
                shape='{1: "LF", 6: uint, 4: uint, -65538: uint, -65543: {1: 1, 2: [* {* uint => any}], 3: uint, ? 4: [uint, uint]}}',
            ),
            **_READING,
        },
    ),
    Operation(
        name="send_passages",
        says="上传密封的通行记录 / upload sealed passages against a signed receipt",
        method="post",
        path="/api/v1/gates/{gate}/passages",
        uuids=_GATE,
        proof="device",
        repeat=Repeat.SAME,
        takes=Body(media=CBOR, says="连续的密封记录 / sealed rows in sequence", shape=_UPLOAD),
        answers={
            201: _receipt("收据；没有它就不算成功 / the receipt; anything else is no success"),
            **_SENDING,
            409: Body(
                media=CBOR,
                says="同一序号已有不同内容，两份都保留 / other bytes under a used number; both are kept",
                shape='{1: "other_content", 2: tstr, 3: [* uint]}',
            ),
        },
    ),
    Operation(
        name="send_signals",
        says="上传求助与交接班 / upload calls for help and handovers",
        method="post",
        path="/api/v1/gates/{gate}/signals",
        uuids=_GATE,
        proof="device",
        repeat=Repeat.SAME,
        takes=Body(media=CBOR, says="连续的密封信号 / sealed signals in sequence", shape=_UPLOAD),
        answers={201: _receipt("收据 / the receipt"), **_SENDING},
    ),
    Operation(
        name="enrol_phone",
        says="把通行证绑定到本机密钥 / bind passes to this phone's key",
        method="post",
        view="gates:enrol_phone",
        proof="session",
        takes=Body(media="application/json", says="代码和公钥 / code and key", type=PhoneEnrolment),
        answers={
            200: Body(media="application/json", says="通行证 / the passes", type=PhonePasses),
            422: Body(media="application/json", says="为什么不行 / why not", type=PhoneRefusal),
        },
    ),
    Operation(
        name="renew_phone",
        says="续签本机通行证，领取新准许的 / fresh passes for the phone that holds the key, and what was granted since",
        method="post",
        view="gates:renew_phone",
        proof="session",
        takes=Body(media="application/json", says="持有证明 / proof of the key", type=PhoneRenewal),
        answers={
            200: Body(media="application/json", says="通行证 / the passes", type=PhonePasses),
            422: Body(media="application/json", says="为什么不行 / why not", type=PhoneRefusal),
        },
    ),
)
