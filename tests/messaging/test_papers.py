"""What is on the pages: read from the text layer, from the codes, and from the places of things."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from unittest.mock import patch

import pypdf
import pytest
import segno
from PIL import Image

from lianfang.messaging import specimens, spoken, typeset
from lianfang.messaging.codes import Code
from lianfang.messaging.errors import GlyphMissing, PlaceTooSmall, TooLongToReadAloud
from lianfang.messaging.papers import ChainLine, DayHead, Lang, Words
from tests.pictures import qr_codes
from tests.sizes import size

if TYPE_CHECKING:
    from collections.abc import Callable

    from lianfang.messaging.papers import DoorCard, IsolationNotice, Paper, ReleaseNotice, SpokenSheet

PAPERS = tuple(specimens.one_of_each())


#: A picture in place of a code: its thousand squares would take the reader of the text layer most of the time.
PLAIN = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'


def texts(*papers: Paper) -> list[str]:
    """The text layer, page by page."""
    with patch.object(Code, "svg", lambda _: PLAIN):
        made = typeset.bundle(papers, at=specimens.AT)
    return [page.extract_text() for page in pypdf.PdfReader(BytesIO(made)).pages]


def squeezed(text: str) -> str:
    """Without the blanks that layout puts between Chinese and Latin."""
    return re.sub(r"\s+", "", text)


def test_the_same_paper_is_the_same_bytes() -> None:
    first = typeset.bundle(specimens.one_of_each().values(), at=specimens.AT)
    typeset.bundle([specimens.board_sheet(2)], at=specimens.AT)
    assert typeset.bundle(specimens.one_of_each().values(), at=specimens.AT) == first
    assert typeset.bundle(specimens.one_of_each().values(), at=specimens.AT + timedelta(days=1)) != first


@pytest.mark.parametrize("template", PAPERS)
def test_a_mapping_and_its_record_print_alike(template: str) -> None:
    paper = specimens.one_of_each()[template]
    told = {f: getattr(paper, f) for f in paper.__dataclass_fields__}
    told |= {k: getattr(paper, k) for k, v in vars(type(paper)).items() if isinstance(v, property)}
    with patch.object(Code, "svg", lambda _: PLAIN):
        one = pypdf.PdfReader(BytesIO(typeset.pdf(template, told, at=specimens.AT)))
    assert [p.extract_text() for p in one.pages] == texts(paper)


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("template", PAPERS)
def test_every_paper_in_every_language_carries_the_mark_of_a_demonstration(template: str, lang: Lang) -> None:
    paper = specimens.one_of_each(lang)[template]
    for page in texts(paper):
        assert "演示样张" in page or "非真实证件" in page
    assert paper.demo
    for page in texts(replace(paper, demo=False)):
        assert "演示样张" not in page
        assert "非真实证件" not in page


def test_text_is_text_and_never_markup() -> None:
    name = '#panic("x") *粗* $a$ \\ @ <b> [c]'
    assert squeezed(name) in squeezed(texts(specimens.release_notice(name=name))[0])


def test_an_unknown_template_or_value_is_a_fault() -> None:
    with pytest.raises(ValueError, match="no template"):
        typeset.pdf("../secrets", {}, at=specimens.AT)
    with pytest.raises(TypeError, match="float"):
        typeset.pdf("board_sheet", {"phone": 1.5}, at=specimens.AT)
    with pytest.raises(ValueError, match="no paper"):
        typeset.bundle([], at=specimens.AT)


# --- the order ------------------------------------------------------------------------------------


def test_the_notice_says_everything_a_person_must_be_told() -> None:
    """O-10: basis, reason, start, end, office, remedy; F04: counting, help, pay, receipt."""
    notice = specimens.isolation_notice()
    text = squeezed("".join(texts(replace(notice, copies=1))))
    for said in (
        notice.document_no,
        notice.order_no,
        notice.person_name,
        notice.residence,
        notice.measure.zh,
        notice.reason.zh,
        notice.basis[0].zh,
        notice.organ.zh,
        notice.signer,
        "2020年1月30日15:40",
        "2020年2月14日00:00",
        "最后一个整天2020年2月13日（星期四）",
        "满14天",
        *(c.phone for c in notice.contacts),
        *(c.who for c in notice.care),
        *(r.within.zh for r in notice.remedies),
        *(p.zh for p in notice.protections),
        "不用任何人批准",
        "两名见证人",
        "解除凭证",
        notice.status_url,
    ):
        assert squeezed(said) in text, said


@pytest.mark.parametrize(
    ("ends_at", "last", "shown"),
    [
        (datetime(2020, 2, 13, 16, tzinfo=UTC), date(2020, 2, 13), "2020年2月14日00:00"),
        (datetime(2020, 2, 13, 15, 59, tzinfo=UTC), date(2020, 2, 12), "2020年2月13日23:59"),
        (datetime(2020, 2, 28, 16, tzinfo=UTC), date(2020, 2, 28), "2020年2月29日00:00"),
        (datetime(2019, 12, 31, 16, tzinfo=UTC), date(2019, 12, 31), "2020年1月1日00:00"),
    ],
)
def test_the_last_full_day_is_the_one_before_the_release(ends_at: datetime, last: date, shown: str) -> None:
    notice = replace(specimens.isolation_notice(), ends_at=ends_at)
    assert notice.last_full_day == last
    assert shown in squeezed(texts(notice)[0])


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("duties", [6, 17])
def test_each_copy_begins_on_its_own_sheet(lang: Lang, duties: int) -> None:
    pages = texts(
        specimens.isolation_notice(lang=lang, duties=duties), specimens.isolation_notice(2, lang=lang)
    )
    first_pages = [n for n, page in enumerate(pages) if re.search("第[一二]联|Copy [12],", page)]
    assert len(first_pages) == 4
    assert all(n % 2 == 0 for n in first_pages), first_pages


def test_a_large_bundle_is_the_papers_in_order_each_on_its_own_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Laid out in parts to bound the memory; the seams do not show."""
    # Three pages a copy: each copy leaves the back of its second sheet empty, also at a seam.
    papers: list[Paper] = [replace(specimens.isolation_notice(n, duties=17), copies=1) for n in range(4)]
    papers.insert(3, specimens.release_notice(99))
    whole = texts(*papers)
    monkeypatch.setattr(typeset, "_AT_ONCE", 2)
    parts = texts(*papers)
    assert [page for page in parts if page] == [
        page for page in whole if "第一联" in page or "—" in page or "解除居" in page
    ]
    starts = [n for n, page in enumerate(parts) if "第一联" in page]
    assert len(starts) == 4
    assert all(n % 2 == 0 for n in starts), starts
    reader = pypdf.PdfReader(BytesIO(typeset.bundle(papers, at=specimens.AT)))
    assert reader.metadata is not None
    assert reader.metadata.creation_date == specimens.AT


def test_a_missing_character_anywhere_in_a_large_bundle_prints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typeset, "_AT_ONCE", 2)
    monkeypatch.setattr(typeset, "_compile", lambda *_, **__: pytest.fail("something was printed"))
    papers = [specimens.pass_card(n) for n in range(5)]
    with pytest.raises(GlyphMissing):
        typeset.bundle([*papers, replace(papers[0], community="\U0002a6a5")], at=specimens.AT)


@pytest.mark.parametrize("duties", range(1, 40, 3))
def test_the_signature_is_never_split_nor_alone(duties: int) -> None:
    """Wherever it falls: last line of text, organ, date and signer are on one page."""
    notice = replace(specimens.isolation_notice(duties=duties), copies=1)
    (page,) = [p for p in texts(notice) if "签发人" in p]
    for part in ("附件：", notice.organ.zh, "2020年1月30日", notice.signer):
        assert squeezed(part) in squeezed(page), part


@pytest.mark.parametrize("length", range(0, 900, 75))
def test_the_signature_of_a_release_is_never_split(length: int) -> None:
    notice = replace(specimens.release_notice(), follow_on=Words("请注意休息" * (length // 5)))
    (page,) = [
        p
        for p in texts(notice)
        if "2020年2月14日" in squeezed(p).split("凭证")[-1] and "通行凭证" in squeezed(p)
    ]
    assert notice.organ.zh in squeezed(page).split("凭证")[-1]


# --- papers beside the order --------------------------------------------------------------------


def test_the_certificate_holds_dates_and_nothing_of_health() -> None:
    certificate = specimens.employer_certificate()
    text = squeezed("".join(texts(replace(certificate, organ=Words("示例机关")))))
    assert "自2020年1月30日起至2020年2月13日止" in text
    for health in ("隔离", "观察", "疫", "感染", "密切接触", "风险", "确诊", "发热"):
        assert health not in text, health


def test_the_door_card_names_nobody() -> None:
    text = squeezed("".join(texts(specimens.door_card())))
    assert "贴在门内侧" in text
    assert "2020年2月14日00:00" in text
    for personal in ("罗示例", "603", "隔离"):
        assert personal not in text


@pytest.mark.parametrize(
    "paper",
    [specimens.isolation_notice, specimens.release_notice, specimens.door_card, specimens.spoken_sheet],
)
def test_a_paper_of_the_order_says_how_far_it_is_in_the_chain(
    paper: Callable[[], IsolationNotice | ReleaseNotice | DoorCard | SpokenSheet],
) -> None:
    made = paper()
    assert "信息链：第1204条，3方中3方已签名见证" in squeezed("".join(texts(made)))
    waiting = replace(made, chain=ChainLine(1_204, witnessed=False, seen=1, of=3))
    assert "信息链：已入账，尚未见证" in squeezed("".join(texts(waiting)))


def test_the_certificate_says_it_without_leading_to_the_entry() -> None:
    text = squeezed("".join(texts(specimens.employer_certificate())))
    assert "信息链：3方中3方已签名见证" in text
    assert "1204" not in text


def test_the_spoken_sheet_takes_a_minute_at_most_and_is_large() -> None:
    sheet = specimens.spoken_sheet()
    assert spoken.seconds_zh(sheet.lines_zh) <= 60
    assert sum(c.isalnum() for line in sheet.lines_zh for c in line) <= 240
    page = pypdf.PdfReader(BytesIO(typeset.bundle([sheet], at=specimens.AT))).pages[0]
    sizes: dict[float, int] = {}

    def visit(text: str, _cm: list[float], tm: list[float], _font: object, at_size: float) -> None:
        sizes[round(abs(tm[3]) * at_size, 1)] = sizes.get(round(abs(tm[3]) * at_size, 1), 0) + len(text)

    page.extract_text(visitor_text=visit)
    assert max(sizes, key=lambda s: sizes[s]) >= 22, sizes
    for line in sheet.lines_zh:
        assert squeezed(line) in squeezed(page.extract_text())


def test_a_sheet_longer_than_a_minute_is_refused() -> None:
    with pytest.raises(TooLongToReadAloud):
        replace(specimens.spoken_sheet(), reason=Words("您从疫情重的地方回来" * 12))


def test_the_spoken_sheet_says_an_end_within_the_day() -> None:
    sheet = replace(specimens.spoken_sheet(), ends_at=datetime(2020, 2, 13, 7, 30, tzinfo=UTC))
    assert "住到2月13日15点30分" in sheet.lines_zh[0]
    assert "2月13日15点30分起" in sheet.lines_zh[1]


def test_the_pass_card_shows_what_the_guard_compares() -> None:
    card = specimens.pass_card()
    (page,) = texts(card)
    for shown in (
        card.pass_no,
        card.door,
        card.initials,
        "住户",
        "2020年3月2日",
        card.community_phone,
        "纸质",
    ):
        assert shown in squeezed(page)
    box = pypdf.PdfReader(BytesIO(typeset.bundle([card], at=specimens.AT))).pages[0].mediabox
    assert (round(float(box.width) / 72 * 25.4), round(float(box.height) / 72 * 25.4)) == (105, 148)
    assert card.code.mm >= 40


# --- public sheets ------------------------------------------------------------------------------


def test_a_place_of_fewer_than_five_households_is_refused() -> None:
    specimens.board_sheet(0)
    with pytest.raises(PlaceTooSmall):
        replace(specimens.board_sheet(), households=4)


@pytest.mark.parametrize("place", ["示例花苑5栋2单元603室", "示例花苑5-2-603", "示例花苑5栋601户"])
def test_a_door_is_not_a_place_for_the_public(place: str) -> None:
    with pytest.raises(ValueError, match="door"):
        replace(specimens.board_sheet(), place=place)


def test_the_code_leads_to_the_domain_in_the_text() -> None:
    """T38: a poster whose code leads elsewhere cannot be made."""
    for paper in (specimens.board_sheet(), specimens.employer_certificate()):
        assert paper.check_domain in "".join(texts(paper))
        with pytest.raises(ValueError, match="does not lead"):
            replace(paper, check=Code("https://lianfang.example.evil.test/open/n/1"))


def test_board_sheets_hold_place_period_and_phone_and_nothing_else() -> None:
    """T05, N-1, N-2: what differs between any two sheets is named here, so nothing personal can be in them."""
    sheets = [
        # the chain's fingerprint is one for all sheets of a day
        replace(specimens.board_sheet(n), phone=f"1990000{n % 10000:04}", head=None)
        for n in range(size("board_sheets"))
    ]
    frames = set()
    for start in range(0, len(sheets), 500):
        part = sheets[start : start + 500]
        pages = texts(*part)
        assert len(pages) == len(part)
        for sheet, page in zip(part, pages, strict=True):
            text = squeezed(page)
            end = typeset._moment(sheet.ends_at)
            for known in (
                squeezed(sheet.place),
                sheet.phone,
                sheet.sheet_no,
                squeezed(str(end["zh"])),
                squeezed(str(end["en"])),
            ):
                assert text.count(known) == 1, (known, text)
                text = text.replace(known, "…")
            frames.add(text)
    assert len(frames) == 1, sorted(frames)[:2]
    (frame,) = frames
    # Of digits only the start, common to all here, the clause numbers of the basis and the label remain.
    assert re.findall(r"\d+", frame) == re.findall(r"\d+", "2020年1月30日 30January2020 第3号 no.3"), frame


# --- codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template", [p for p in PAPERS if p not in ("spoken_sheet", "take_down_sheet", "loudspeaker_sheet")]
)
def test_every_code_is_read_back_from_a_tilted_scan(template: str) -> None:
    paper = specimens.one_of_each(Lang.BOTH)[template]
    values = [getattr(paper, name, None) for name in (*paper.__dataclass_fields__, "code")]
    values += [value.code for value in values if isinstance(value, DayHead)]
    wanted = {str(value.content) for value in values if isinstance(value, Code)}
    assert wanted
    pages = typeset.pictures([paper], at=specimens.AT, ppi=150)
    for tilt in (7, -17):
        read: set[str] = set()
        for page in pages:
            picture = Image.open(BytesIO(page)).convert("L").rotate(tilt, expand=True, fillcolor=255)
            read |= {found.text for found in qr_codes(picture)}
        assert read == wanted, tilt


def test_a_code_on_a_board_is_never_small_and_leads_where_the_sheet_says() -> None:
    sheet = specimens.announcement_sheet()
    assert sheet.proof is not None
    with pytest.raises(ValueError, match="arm's length"):
        replace(sheet, check=replace(sheet.check, mm=59))
    with pytest.raises(ValueError, match="arm's length"):
        replace(sheet, proof=replace(sheet.proof, mm=59))
    with pytest.raises(ValueError, match="does not lead"):
        replace(sheet, check_domain="another.example")


def test_the_text_of_a_board_is_as_large_as_one_page_allows() -> None:
    short = replace(specimens.announcement_sheet(), body=Words("早晚测体温。"), plain="")
    middle = replace(short, body=Words("各单位落实值守、消毒、测温和登记，保障居民生活。\n" * 8))
    long = replace(short, body=Words("各单位落实值守、消毒、测温和登记，保障居民生活。" * 120))
    assert short.points > middle.points > long.points
    assert [len(texts(sheet)) for sheet in (short, middle)] == [1, 1]


def test_a_loudspeaker_text_longer_than_a_minute_is_refused() -> None:
    with pytest.raises(TooLongToReadAloud):
        replace(specimens.loudspeaker_sheet(), aloud="字" * 241)


@pytest.mark.parametrize("template", PAPERS)
def test_slips_and_passes_are_printed_forty_millimetres_wide_or_more(template: str) -> None:
    paper = specimens.one_of_each()[template]
    for name in (*paper.__dataclass_fields__, "code"):
        value = getattr(paper, name, None)
        if isinstance(value, Code) and str(value.content).startswith("LF1:"):
            assert value.mm >= 40


@pytest.mark.parametrize("content", ["LF1:" + "7%6-" * 80, "https://lianfang.example/open/n/1", b"x"])
def test_a_code_is_drawn_as_its_maker_draws_it(content: str | bytes) -> None:
    made = segno.make(content, error="M", mask=4, boost_error=False, micro=False)
    theirs = BytesIO()
    made.save(theirs, kind="svg", border=4, xmldecl=False, svgclass=None, lineclass=None, light="#fff")
    assert Code(content).svg() == theirs.getvalue().decode()
