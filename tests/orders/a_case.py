"""A whole case by the real acts: proposal, order, care, serving, sheet, appeal and decision, lift, checks, release notice.

Every text in it is a marker that stands nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.kernel.ids import random_id
from lianfang.orders import actions
from lianfang.people import queries as people
from tests.factories.orders import S1_ANCHOR, S1_NOW, a_draft, officer, resident

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.orders.models import IsolationOrder

#: Said by somebody in the case; none of it is anywhere else.
TEXTS: Final = {
    "proposal": "标记甲建议里写的话",
    "carer": "标记乙邻居董阿姨",
    "witnesses": "标记丙见证人贺某",
    "appeal": "标记丁我那天在上班",
    "decision": "标记戊登记核对有误",
    "lift": "标记己另行查明",
    "concern": "标记庚电话核实过",
    "hold": "标记辛正在诉讼",
    "withdrawal": "标记壬案子已经结了",
}
#: The last act of the case.
OVER_AT: Final = S1_NOW + timedelta(days=2)


def a_case(person: UUID, dependant: UUID) -> IsolationOrder:
    """On somebody who came by train and cares for a child. Lifted after two days, past a lost appeal."""
    answer = concerns.report_arrival(
        concerns.ArrivalDraft(
            id=random_id(), person_id=person, came_from="4201", left_at=S1_ANCHOR, arrived_at=S1_NOW
        ),
        by=officer(Role.GRID),
    )
    assert answer.concern_id is not None
    health, community = officer(Role.CDC), officer(Role.COMMUNITY)
    concerns.decide_concern(answer.concern_id, verified=True, reason=TEXTS["concern"], by=health)
    draft = a_draft(person, evidence_id=answer.concern_id, proposal_id=random_id())
    proposal = actions.ProposalDraft(
        id=draft.proposal_id or random_id(),
        person_id=person,
        reason=draft.reason,
        anchor_at=draft.anchor_at,
        evidence_id=draft.evidence_id,
        home_is_suitable=True,
        note=TEXTS["proposal"],
    )
    actions.propose_isolation(proposal, by=community)
    actions.second_sign(proposal.id, by=officer(Role.CMD_LEAD))
    order = actions.issue_isolation(draft, by=health)
    care = actions.CareDraft(
        id=random_id(), order_id=order.pk, dependant_id=dependant, carer_note=TEXTS["carer"]
    )
    actions.record_care(care, by=community)
    told = actions.ServingDraft(
        id=random_id(), order_id=order.pk, served_at=S1_NOW, receipt="read_out", witnesses=TEXTS["witnesses"]
    )
    actions.serve(told, by=community)
    if people.household_count(order.community) >= 5:
        sheet = actions.post_sheet(random_id(), order.pk, by=community)
        actions.record_take_down(random_id(), sheet.pk, by=community)
    objection = actions.AppealDraft(id=random_id(), order_id=order.pk, text=TEXTS["appeal"])
    actions.appeal(objection, by=resident(person))
    found = actions.DecisionDraft(
        id=random_id(), appeal_id=objection.id, granted=False, reasons=TEXTS["decision"]
    )
    actions.decide_appeal(found, by=officer(Role.CMD_LEAD, at=S1_NOW + timedelta(days=1)))
    over = officer(Role.CDC, at=OVER_AT)
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=order.pk, reason=TEXTS["lift"]), by=over
    )
    actions.check_release(random_id(), order.pk, kind="health", by=over)
    actions.check_release(random_id(), order.pk, kind="street", by=officer(Role.STREET, at=OVER_AT))
    actions.issue_release_notice(random_id(), order.pk, by=over)
    return order
