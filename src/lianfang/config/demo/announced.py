"""What the organs of the story announce. Every text is invented; none restricts anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.announcements import actions as announcements
from lianfang.announcements.policy import Kind
from lianfang.places.policy import Kind as PlaceKind
from lianfang.places.policy import at_level

from .calendar import at

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

_LAW: Final = "《中华人民共和国传染病防治法》（演示）"


@dataclass(frozen=True, slots=True)
class Announced:
    """One text: who drafts, reviews and signs it, by login, and for which place around Ms Luo's home.

    :ivar signed_by: nobody: it waits for its review
    """

    at: datetime
    days: int | None
    place: PlaceKind
    kind: Kind
    title: str
    body: str
    signatory: str
    drafted_by: str
    reviewed_by: str
    signed_by: str
    plain: str = ""
    aloud: str = ""
    title_en: str = ""
    body_en: str = ""
    replaces: int | None = None  # which of these, by its place in the list

    def draft(self, pk: UUID, home: str, when: datetime, replaced: UUID | None) -> announcements.Draft:
        place = at_level(home, self.place)
        assert place is not None, "a home lies in all of them"
        return announcements.Draft(
            id=pk, kind=self.kind, title=self.title, body=self.body, basis=_LAW, places=(place,),
            signatory=self.signatory, plain=self.plain, aloud=self.aloud, title_en=self.title_en,
            body_en=self.body_en, ends_at=when + timedelta(days=self.days) if self.days else None,
            supersedes=(replaced,) if replaced else (),
        )  # fmt: skip


#: In the order of their instants.
ANNOUNCED: Final = (
    Announced(
        at(date(2020, 1, 28), 9), 60, PlaceKind.DISTRICT, Kind.PROCLAMATION, "关于做好返程人员登记的公告",
        "各位市民：\n一、从区外返回的，请到社区登记，或在手机上自行报告。\n二、登记只问去过哪里、何时返回、身体怎样。\n"
        "三、是否居家、居家几天，由疾控中心书面决定并说明理由；登记本身不限制任何人。",
        "指挥长 高庭轩", "commander", "duty", "commander",
        plain="从外地回来，跟社区说一声。\n要不要在家住，以书面决定为准。",
    ),
    Announced(
        at(date(2020, 2, 3), 9), 7, PlaceKind.STREET, Kind.ANNOUNCEMENT, "关于发热咨询点的通告",
        "炳草岗街道在办事处一楼设发热咨询点，每日8时至18时有医生值守。\n发热、咳嗽的，请先打电话，再出门。",
        "主任 周启明", "street", "duty", "street",
    ),
    Announced(
        at(date(2020, 2, 8), 9), 60, PlaceKind.DISTRICT, Kind.PROCLAMATION, "关于返程登记和健康咨询的公告",
        "各位市民：\n一、从区外返回的，请到社区登记，或在手机上自行报告。\n二、居家隔离到期自动解除，不用任何人批准；"
        "到期后凭解除凭条出门。\n三、对决定有异议的，可以口头或书面提出，不会因此加重。\n四、心理咨询热线每日8时至22时开通。",
        "指挥长 高庭轩", "commander", "duty", "commander",
        plain="回来先登记。\n在家住满天数就自由了，不用谁批准。\n觉得不对可以提，提了不吃亏。",
        aloud="各位市民，从外地回来的，请向社区登记。居家隔离到期自动解除，不用任何人批准。有异议可以提，提了不会加重。",
        title_en="On registering after a journey, and whom to ask",
        body_en="1. Whoever returns from outside the district registers with the community, or on the own phone.\n"
        "2. Isolation at home ends by itself. Nobody has to approve it; the release slip opens the gate.\n"
        "3. Whoever disagrees may object, in words or in writing; it never makes it harsher.\n"
        "4. A line for whoever needs to talk is open from 8:00 to 22:00 every day.",
        replaces=0,
    ),
    Announced(
        at(date(2020, 2, 12), 9), 5, PlaceKind.COMMUNITY, Kind.NOTICE, "关于集中配送蔬菜的通知",
        "竹湖园社区自明日起每日10时、16时集中配送蔬菜，居家隔离的住户送到门口。\n需要的请前一日18时前告诉网格员。",
        "主任 邓素芳", "community", "street", "community",
        aloud="各位居民，社区每天上午十点、下午四点送菜。居家隔离的住户送到门口。要菜的，前一天下午六点前告诉网格员。",
    ),
)  # fmt: skip
#: Drafted within the last hours, whatever the day: it waits for its review.
WAITING: Final = Announced(
    at(date(2020, 2, 13), 9), 7, PlaceKind.STREET, Kind.ANNOUNCEMENT, "关于调整发热咨询点时间的通告",
    "炳草岗街道发热咨询点自明日起延长到20时。", "主任 周启明", "street", "duty", "",
)  # fmt: skip


def announce(said: Announced, draft: announcements.Draft, actors: tuple[Actor, Actor, Actor]) -> None:
    """Drafted, reviewed and signed, each by another login and at another instant."""
    drafter, reviewer, signer = actors
    announcements.draft_announcement(draft, by=drafter)
    announcements.review_announcement(draft.id, approved=True, by=reviewer)
    announcements.sign_announcement(draft.id, by=signer)
