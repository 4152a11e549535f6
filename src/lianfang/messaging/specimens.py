"""Invented papers of every kind, marked as such: for previews, the benchmark and tests.

Persons, places and numbers are fictitious; slips are random bytes of the right length and open no gate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lianfang_pass import base45

from .codes import Code, Correction
from .papers import (
    AnnouncementSheet,
    BoardSheet,
    Care,
    ChainLine,
    ChainProof,
    Cohabitant,
    Contact,
    DayHead,
    DoorCard,
    EmployerCertificate,
    IsolationNotice,
    Lang,
    LoudspeakerSheet,
    PassCard,
    PostedSheet,
    ReleaseNotice,
    Remedy,
    Seen,
    SpokenSheet,
    TakeDownSheet,
    Words,
)

if TYPE_CHECKING:
    from .papers import Paper

#: 14 February 2020, 00:00 in legal time: the release moment of the story these papers tell.
ENDS_AT: Final = datetime(2020, 2, 13, 16, tzinfo=UTC)
STARTS_AT: Final = datetime(2020, 1, 30, 7, 40, tzinfo=UTC)
#: What the papers are dated to.
AT: Final = datetime(2020, 1, 30, 7, 30, tzinfo=UTC)

DOMAIN: Final = "lianfang.example"
HEALTH: Final = Words("示例区疾病预防控制中心", "Centre for Disease Control of the Demonstration District")
COMMUNITY: Final = Words("示例花苑社区居民委员会", "Residents’ Committee of the Demonstration Community")
PHONE: Final = "19900000120"
STATUS_URL: Final = f"https://{DOMAIN}/my"
CHAIN: Final = ChainLine(1_204, witnessed=True, seen=3, of=3)

CONTACTS: Final = (
    Contact(Words("街道干部", "Street office"), "沙马·伍各", "19900000101"),
    Contact(Words("网格员（买菜、取药）", "Grid worker (food, medicine)"), "何示例", "19900000102"),
    Contact(Words("随访医生", "Doctor"), "吉克·阿依", "19900000103"),
)


def slip(seed: str, length: int = 175) -> str:
    """A string of the length and alphabet of a signed slip; no key made it."""
    raw = b"".join(sha256(f"{seed}/{n}".encode()).digest() for n in range(length // 32 + 1))
    return base45.to_text(raw[:length])


def isolation_notice(
    n: int = 427, *, name: str = "罗示例", lang: Lang = Lang.ZH, duties: int = 6
) -> IsolationNotice:
    """The order of the story, for one of many invented persons."""
    kept = (
        Words(
            "不出家门，不接待来访，单独房间居住，房间常通风。",
            "Stay in, receive nobody, keep your own aired room.",
        ),
        Words(
            "早晚各测一次体温，告诉随访医生。", "Take your temperature morning and evening; tell the doctor."
        ),
        Words(
            "与家人分开用餐；共用卫生间每次用后消毒。",
            "Eat apart; disinfect a shared bathroom after each use.",
        ),
        Words(
            "生活垃圾装袋扎紧，放在门口，由专人收取。",
            "Tie your rubbish in a bag at the door; it is collected.",
        ),
        Words(
            "发热、咳嗽、呼吸困难时立即打随访医生电话或120。",
            "With fever, cough or short breath call the doctor or 120.",
        ),
        Words(
            "火灾、地震、急病、临产、遭受暴力时立即离开，不算违规。",
            "In fire, earthquake, emergency, birth or violence leave at once: never a breach.",
        ),
    )
    return IsolationNotice(
        document_no=f"DEMO-999999-F04-20200130-{n:06}7",
        order_no=f"20200130-{n:06}",
        organ=HEALTH,
        organ_phone=PHONE,
        person_name=name,
        id_hint="12",
        residence="示例花苑5栋2单元603室",
        measure=Words("居家隔离医学观察", "medical observation at home"),
        reason=Words(
            "你于2020年1月30日从疫情高风险地区返回",
            "you returned from an area of high risk on 30 January 2020",
        ),
        basis=(
            Words("《中华人民共和国传染病防治法》第三十九条", "Law on Infectious Diseases, art. 39"),
            Words("《示例区应急指挥部第3号公告》", "Announcement no. 3 of the District Command"),
        ),
        anchor_event=Words("离开风险地区", "left the area of risk"),
        anchor_at=datetime(2020, 1, 30, 6, 20, tzinfo=UTC),
        days=14,
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        duties=tuple(kept[i % len(kept)] for i in range(duties)),
        cohabitants=(
            Cohabitant("周示例", Words("自愿一同居家，另有本人的决定", "stays too, by an order of his own")),
        ),
        care=(Care("外婆（81岁）", "何示例", "19900000102"),),
        contacts=CONTACTS,
        protections=(
            Words(
                "隔离期间，所在单位不得停止支付工作报酬，不得因此解除劳动合同。",
                "Your employer must go on paying you and may not dismiss you for this.",
            ),
            Words(
                "你有权知道理由、依据、期限和决定机关，有权查看谁看过你的资料。",
                "You may know the reason, basis, term and organ, and see who read your data.",
            ),
            Words(
                "买菜、取药、就医、急产、透析由上面的人帮助安排，就医不算违反本决定。",
                "Food, medicine, care, birth and dialysis are arranged; going to a doctor is no breach.",
            ),
        ),
        remedies=(
            Remedy(Words("申诉", "Complaint"), "本中心及示例区指挥部", Words("随时", "any time"), PHONE),
            Remedy(
                Words("行政复议", "Reconsideration"),
                "示例区人民政府",
                Words("60日内", "60 days"),
                "19900000160",
            ),
            Remedy(Words("行政诉讼", "Court"), "示例区人民法院", Words("6个月内", "6 months"), "19900000161"),
        ),
        order_slip=Code(slip(f"order/{n}")),
        release_slip=Code(slip(f"release/{n}")),
        status_url=STATUS_URL,
        chain=CHAIN,
        signed_on=date(2020, 1, 30),
        signer="疾控值班甲",
        lang=lang,
        demo=True,
    )


def release_notice(n: int = 427, *, name: str = "罗示例", lang: Lang = Lang.ZH) -> ReleaseNotice:
    """The paper that follows the end of that order."""
    return ReleaseNotice(
        document_no=f"DEMO-999999-F06-20200214-{n:06}7",
        organ=HEALTH,
        organ_phone=PHONE,
        person_name=name,
        residence="示例花苑5栋2单元603室",
        measure=Words("居家隔离医学观察", "medical observation at home"),
        order_document_no=f"DEMO-999999-F04-20200130-{n:06}7",
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        lifted_at=None,
        follow_on=None,
        slip=Code(slip(f"lift/{n}")),
        status_url=STATUS_URL,
        chain=CHAIN,
        signed_on=date(2020, 2, 14),
        copy_to=("示例花苑社区居民委员会",),
        lang=lang,
        demo=True,
    )


def employer_certificate(name: str = "罗示例", *, lang: Lang = Lang.ZH) -> EmployerCertificate:
    """What the employer of that person is shown."""
    return EmployerCertificate(
        document_no="DEMO-999999-F06-20200214-0000438",
        organ=HEALTH,
        organ_phone=PHONE,
        person_name=name,
        id_hint="12",
        employer="示例机械有限公司",
        first_day=date(2020, 1, 30),
        last_day=date(2020, 2, 13),
        protections=(
            Words(
                "上述期间，用人单位应当按规定支付工作报酬，不得据此解除或者终止劳动合同。",
                "For these days the employer pays wages as the rules say, and may not end the contract because of them.",
            ),
        ),
        check=Code(f"https://{DOMAIN}/open/c/7KQ2M9XD4F", mm=34, correction=Correction.Q),
        check_domain=DOMAIN,
        signed_on=date(2020, 2, 14),
        chain=replace(CHAIN, entry=None),
        lang=lang,
        demo=True,
    )


def door_card(lang: Lang = Lang.BOTH) -> DoorCard:
    """The card inside that door."""
    return DoorCard(
        ends_at=ENDS_AT,
        contacts=CONTACTS,
        status_url=STATUS_URL,
        check=Code(STATUS_URL, mm=34, correction=Correction.Q),
        chain=CHAIN,
        lang=lang,
        demo=True,
    )


def spoken_sheet(address: str = "吴爷爷", *, lang: Lang = Lang.ZH) -> SpokenSheet:
    """The sheet read to a person of 81."""
    return SpokenSheet(
        address=address,
        organ=Words("区疾控中心", "the District CDC"),
        reason=Words("您1月30日从疫情重的地方回来", "you came back from an area of high risk on 30 January"),
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        helper=Words("网格员小何", "grid worker He"),
        helper_phone="19900000102",
        object_phone=PHONE,
        chain=CHAIN,
        lang=lang,
        demo=True,
    )


def pass_card(n: int = 1, *, lang: Lang = Lang.BOTH) -> PassCard:
    """A paper pass; its number carries the check digits of ISO 7064 MOD 97-10."""
    number = 51_040_000 + n
    return PassCard(
        token=slip(f"pass/{n}", 198),
        pass_no=f"{number}-{98 - number * 100 % 97:02}",
        door=f"{n % 12 + 1}-2-{n % 20 + 1:02}03",
        initials="LXF",
        kind=Words("住户", "Household"),
        valid_from=date(2020, 2, 1),
        valid_until=date(2020, 3, 2),
        community="示例花苑社区",
        community_phone="19900000110",
        lang=lang,
        demo=True,
    )


def board_sheet(n: int = 1, *, lang: Lang = Lang.BOTH) -> BoardSheet:
    """The public sheet of one stairwell."""
    return BoardSheet(
        sheet_no=f"B{n:06}",
        place=f"示例花苑{n % 40 + 1}栋{n % 6 + 1}单元",
        households=5 + n % 30,
        starts_at=STARTS_AT,
        ends_at=ENDS_AT + timedelta(days=n % 14),
        basis=Words("示例区应急指挥部第3号公告", "Announcement no. 3 of the District Command"),
        office=Words("示例花苑社区", "Demonstration Community"),
        phone="19900000110",
        check=Code(
            f"https://{DOMAIN}/open/n/{sha256(str(n).encode()).hexdigest()[:22]}",
            mm=50,
            correction=Correction.Q,
        ),
        check_domain=DOMAIN,
        head=DayHead(
            date(2020, 1, 30),
            41_198,
            "3f09 c1a7 52be 8d46",
            Code("LFK1:" + slip("head", 103)[4:], mm=26, correction=Correction.M),
        ),
        lang=lang,
        demo=True,
    )


def take_down_sheet(lang: Lang = Lang.ZH) -> TakeDownSheet:
    """The task to take sheets down."""
    return TakeDownSheet(
        to="示例花苑物业服务中心",
        sheets=(
            PostedSheet("B000001", "示例花苑5栋2单元公告栏", 1),
            PostedSheet("B000002", "示例花苑5栋大堂", 2),
        ),
        ended_at=ENDS_AT,
        done_by=ENDS_AT + timedelta(hours=1),
        office=COMMUNITY,
        phone="19900000110",
        check_domain=DOMAIN,
        lang=lang,
        demo=True,
    )


def chain_proof(*, lang: Lang = Lang.ZH) -> ChainProof:
    """The proof that goes with the order; its codes have the length of real ones and prove nothing."""
    return ChainProof(
        about=Words("个人居家隔离决定", "home isolation order"),
        document_no="DEMO-999999-F04-20200130-0004277",
        organ=HEALTH,
        entry=41_207,
        size=41_216,
        seen=(
            Seen(Words("居民", "residents"), AT + timedelta(seconds=2)),
            Seen(Words("物业", "property company"), AT + timedelta(seconds=3)),
            Seen(Words("社区", "community"), AT + timedelta(seconds=3)),
        ),
        parties=3,
        public=Code("LFC1:" + slip("public", 1300)[4:], mm=70, correction=Correction.L),
        own=Code("LFC1:" + slip("own", 1560)[4:], mm=76, correction=Correction.L),
        shown=(Words("编号", "number"), Words("理由", "reason"), Words("起止时刻", "beginning and end")),
        page=Code(f"https://{DOMAIN}/open/verify/", mm=30, correction=Correction.Q),
        check_domain=DOMAIN,
        lang=lang,
        demo=True,
    )


#: What is read out, and printed as the text of the sheet for boards.
_ALOUD: Final = (
    "各位居民，明天起，示例花苑的核酸检测改在小区南广场，每天早上八点到下午五点。请带身份证件，戴好口罩，"
    "间隔一米排队。行动不便的，打电话一九九零零零零零一一零，我们上门。居家隔离的住户不用下楼，工作人员会来。"
)
_BODY: Final = """为方便居民就近检测，现将有关事项通告如下：
一、自2020年2月1日起，示例花苑社区的检测点设在小区南广场，每日8时至17时开放。
二、请携带有效证件，佩戴口罩，保持一米间隔，听从现场工作人员引导。
三、行动不便的居民可拨打社区电话预约上门。居家隔离的居民不必下楼。
四、检测免费，结果在24小时内可在本人页面查询，也可由网格员代查。"""
_BODY_EN: Final = """So that everybody is tested near home, the following is announced:
1. From 1 February 2020 the test point of the Demonstration Community stands on the south square of the compound, 8:00 to 17:00 every day.
2. Bring a document, wear a mask, keep one metre apart and follow the staff.
3. Whoever walks with difficulty may call the community to be tested at home. Residents isolating at home do not come down.
4. The test costs nothing; the result is on your page within 24 hours, or ask the grid worker."""


def announcement_sheet(*, lang: Lang = Lang.ZH) -> AnnouncementSheet:
    """An announcement for the notice board."""
    return AnnouncementSheet(
        kind=Words("通　告", "Announcement"),
        number="示例街道办事处〔2020〕3号",
        title=Words("关于调整核酸检测点的通告", "On the new place of the test point"),
        body=Words(_BODY, _BODY_EN),
        plain="明天起做核酸去南广场。\n走不动的打电话，我们上门。\n不要钱。",
        basis="《中华人民共和国传染病防治法》第三十九条；示例区应急指挥部第3号公告",
        places="示例街道示例花苑社区",
        organ="示例街道办事处",
        signatory="主任 沙马·伍各",
        starts_at=AT + timedelta(days=2),
        ends_at=ENDS_AT,
        supersedes=("示例街道办事处〔2020〕1号",),
        published_at=AT,
        is_current=True,
        text_hash=sha256(_BODY.encode()).hexdigest(),
        chain=CHAIN,
        check=Code(
            f"https://{DOMAIN}/open/announcements/0190a0c0-0000-7000-8000-000000000001/",
            mm=60,
            correction=Correction.Q,
        ),
        proof=Code("LFC1:" + slip("announcement", 1300)[4:], mm=90, correction=Correction.L),
        check_domain=DOMAIN,
        lang=lang,
        demo=True,
    )


def loudspeaker_sheet(*, lang: Lang = Lang.ZH) -> LoudspeakerSheet:
    """The same to be read out."""
    return LoudspeakerSheet(
        number="示例街道办事处〔2020〕3号",
        title="关于调整核酸检测点的通告",
        aloud=_ALOUD,
        places="示例街道示例花苑社区",
        starts_at=AT + timedelta(days=2),
        ends_at=ENDS_AT,
        chain=CHAIN,
        lang=lang,
        demo=True,
    )


def one_of_each(lang: Lang = Lang.ZH) -> dict[str, Paper]:
    """Every paper once, by the name of its template."""
    made: tuple[Paper, ...] = (
        isolation_notice(lang=lang),
        release_notice(lang=lang),
        employer_certificate(lang=lang),
        door_card(lang),
        spoken_sheet(lang=lang),
        pass_card(lang=lang),
        board_sheet(lang=lang),
        take_down_sheet(lang),
        chain_proof(lang=lang),
        announcement_sheet(lang=lang),
        loudspeaker_sheet(lang=lang),
    )
    return {paper.TEMPLATE: paper for paper in made}
