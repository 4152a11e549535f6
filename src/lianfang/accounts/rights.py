"""Rights, roles and purposes, and the one table that says which role holds which right.

Source: the matrix role × action (trust.md §6) and the roles (domain.md §1).
A right is `context:thing:act`. Holding a right gives nothing by itself: an office gives it over one area,
between two instants (`models.Office`). What a resident may do with the own record needs no area: it
follows from the person the login belongs to (`Scope.OWN`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What an office makes of its holder. `SYSTEM` is no office: it is what jobs act as."""

    RESIDENT = "resident"
    GUARD = "guard"
    PROPERTY = "property"
    GRID = "grid"
    COMMUNITY = "community"
    MEDIC = "medic"
    POLICE = "police"
    STREET = "street"
    CDC = "cdc"
    CMD_DUTY = "cmd_duty"
    CMD_LEAD = "cmd_lead"
    AUDITOR = "auditor"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    SYSTEM = "system"


class Right(StrEnum):
    """Everything anybody may do, `context:thing:act`. A right nobody holds is a defect (tested)."""

    ACCOUNTS_OFFICE_GRANT = "accounts:office:grant"
    ACCOUNTS_OFFICE_CONFIRM = "accounts:office:confirm"
    ACCOUNTS_OFFICE_SEE = "accounts:office:see"
    ACCOUNTS_LOGIN_CODE_ISSUE = "accounts:login_code:issue"

    PLACES_PLACE_SEE = "places:place:see"
    PLACES_PLACE_MANAGE = "places:place:manage"

    RULES_RULE_SEE = "rules:rule:see"
    RULES_RULE_PUBLISH = "rules:rule:publish"

    PEOPLE_PERSON_READ = "people:person:read"
    PEOPLE_PERSON_SEARCH = "people:person:search"
    PEOPLE_PERSON_REVEAL = "people:person:reveal"
    PEOPLE_PERSON_EXPORT = "people:person:export"
    PEOPLE_PERSON_REGISTER = "people:person:register"
    PEOPLE_PERSON_CORRECT = "people:person:correct"
    PEOPLE_ROSTER_IMPORT = "people:roster:import"
    PEOPLE_OWN_SEE = "people:own:see"
    PEOPLE_READINGS_AUDIT = "people:readings:audit"

    ANNOUNCEMENTS_TEXT_DRAFT = "announcements:text:draft"
    ANNOUNCEMENTS_TEXT_REVIEW = "announcements:text:review"
    ANNOUNCEMENTS_TEXT_SIGN = "announcements:text:sign"

    CONCERNS_OWN_REPORT = "concerns:own:report"
    CONCERNS_PROXY_REPORT = "concerns:proxy:report"
    CONCERNS_REPORT_SEE = "concerns:report:see"
    CONCERNS_REPORT_ASSESS = "concerns:report:assess"

    ORDERS_ISOLATION_PROPOSE = "orders:isolation:propose"
    ORDERS_ISOLATION_ISSUE = "orders:isolation:issue"
    ORDERS_ISOLATION_SECOND_SIGN = "orders:isolation:second_sign"
    ORDERS_ISOLATION_LIFT = "orders:isolation:lift"
    ORDERS_ISOLATION_SEE = "orders:isolation:see"
    ORDERS_PROPOSAL_SEE = "orders:proposal:see"
    ORDERS_NOTICE_SERVE = "orders:notice:serve"
    ORDERS_NOTICE_PRINT = "orders:notice:print"
    ORDERS_CARE_ACCEPT = "orders:care:accept"
    ORDERS_BOARD_POST = "orders:board:post"
    ORDERS_APPEAL_DECIDE = "orders:appeal:decide"
    ORDERS_RELEASE_CHECK_HEALTH = "orders:release:check_health"
    ORDERS_RELEASE_CHECK_STREET = "orders:release:check_street"
    ORDERS_CASE_DESTROY = "orders:case:destroy"

    CREDENTIALS_PASS_ISSUE = "credentials:pass:issue"  # noqa: S105 - a right, not a secret
    CREDENTIALS_PASS_REVOKE = "credentials:pass:revoke"  # noqa: S105 - a right, not a secret
    CREDENTIALS_PASS_PRINT = "credentials:pass:print"  # noqa: S105 - a right, not a secret
    CREDENTIALS_PHONE_ENROL = "credentials:phone:enrol"

    GATES_DEVICE_ENROL = "gates:device:enrol"
    GATES_POST_SEE = "gates:post:see"
    GATES_BACKLOG_ENTER = "gates:backlog:enter"
    GATES_ACT_PROPOSE = "gates:act:propose"
    GATES_ACT_SIGN = "gates:act:sign"
    GATES_HELP_ANSWER = "gates:help:answer"
    GATES_CODE_OPEN = "gates:code:open"
    GATES_PASS_VERIFY = "gates:pass:verify"  # noqa: S105 - a right, not a secret
    GATES_COUNTS_SEE = "gates:counts:see"

    LEDGER_PROOF_SEE = "ledger:proof:see"

    AUDIT_GRANT_GIVE = "audit:grant:give"
    AUDIT_GRANT_USE = "audit:grant:use"

    CONFIG_SYSTEM_OPERATE = "config:system:operate"


class Scope(StrEnum):
    """Over what a role holds a right."""

    AREA = "area"  # the area of the office and everything below it
    OWN = "own"  # the own person record only


class Purpose(StrEnum):
    """Why personal data are read or an act is done; recorded with every reading and shown to the person."""

    OWN_DATA = "own_data"
    REGISTER_KEEPING = "register_keeping"
    REPORT_INTAKE = "report_intake"
    CASE_INQUIRY = "case_inquiry"
    ISOLATION = "isolation"
    SERVICE_OF_NOTICE = "service_of_notice"
    CARE = "care"
    PASSES = "passes"
    GATE = "gate"
    APPEAL = "appeal"
    AUDIT = "audit"
    ADMINISTRATION = "administration"
    PUBLIC_INFORMATION = "public_information"


def _over_area(*roles: Role) -> dict[Role, Scope]:
    return dict.fromkeys(roles, Scope.AREA)


_OWN: Final[dict[Role, Scope]] = {Role.RESIDENT: Scope.OWN}
_STAFF: Final = tuple(r for r in Role if r not in (Role.RESIDENT, Role.SYSTEM))

#: Right → the roles that hold it, and over what. The only such table.
HELD_BY: Final[Mapping[Right, Mapping[Role, Scope]]] = {
    # accounts — which roles a granter may give: `GRANTS`
    Right.ACCOUNTS_OFFICE_GRANT: _over_area(
        Role.PROPERTY, Role.COMMUNITY, Role.STREET, Role.CDC, Role.CMD_LEAD, Role.SECURITY_ADMIN
    ),
    # which roles somebody may confirm: `CONFIRMS`
    Right.ACCOUNTS_OFFICE_CONFIRM: _over_area(Role.CDC, Role.CMD_LEAD, Role.SECURITY_ADMIN),
    Right.ACCOUNTS_OFFICE_SEE: _over_area(
        Role.PROPERTY, Role.COMMUNITY, Role.STREET, Role.CDC, Role.CMD_LEAD, Role.SECURITY_ADMIN, Role.AUDITOR
    ),
    Right.ACCOUNTS_LOGIN_CODE_ISSUE: _over_area(Role.GRID, Role.COMMUNITY, Role.SYSTEM),
    # places
    Right.PLACES_PLACE_SEE: _over_area(*_STAFF, Role.SYSTEM),
    Right.PLACES_PLACE_MANAGE: _over_area(Role.COMMUNITY, Role.STREET),
    # rules
    Right.RULES_RULE_SEE: _over_area(*_STAFF),
    Right.RULES_RULE_PUBLISH: _over_area(Role.CDC, Role.CMD_LEAD),
    # people
    Right.PEOPLE_PERSON_READ: _over_area(Role.GRID, Role.COMMUNITY, Role.CDC, Role.SYSTEM),
    Right.PEOPLE_PERSON_SEARCH: _over_area(Role.GRID, Role.COMMUNITY, Role.CDC),
    Right.PEOPLE_PERSON_REVEAL: _over_area(Role.COMMUNITY, Role.CDC),
    Right.PEOPLE_PERSON_EXPORT: _over_area(Role.CDC),
    Right.PEOPLE_PERSON_REGISTER: _over_area(Role.GRID, Role.COMMUNITY),
    Right.PEOPLE_PERSON_CORRECT: _over_area(Role.COMMUNITY),
    Right.PEOPLE_ROSTER_IMPORT: _over_area(Role.COMMUNITY),
    Right.PEOPLE_OWN_SEE: _OWN,
    Right.PEOPLE_READINGS_AUDIT: _over_area(Role.AUDITOR),
    # announcements — each in the name of the own organ; property companies speak for nobody's authority
    Right.ANNOUNCEMENTS_TEXT_DRAFT: _over_area(Role.COMMUNITY, Role.STREET, Role.CMD_DUTY, Role.CMD_LEAD),
    Right.ANNOUNCEMENTS_TEXT_REVIEW: _over_area(Role.COMMUNITY, Role.STREET, Role.CMD_DUTY, Role.CMD_LEAD),
    Right.ANNOUNCEMENTS_TEXT_SIGN: _over_area(Role.COMMUNITY, Role.STREET, Role.CMD_LEAD),
    # concerns
    Right.CONCERNS_OWN_REPORT: _OWN,
    Right.CONCERNS_PROXY_REPORT: _over_area(Role.GRID, Role.COMMUNITY, Role.CDC),
    Right.CONCERNS_REPORT_SEE: _over_area(Role.COMMUNITY, Role.CDC),
    Right.CONCERNS_REPORT_ASSESS: _over_area(Role.CDC),
    # orders
    Right.ORDERS_ISOLATION_PROPOSE: _over_area(Role.COMMUNITY, Role.STREET, Role.CDC),
    Right.ORDERS_ISOLATION_ISSUE: _over_area(Role.CDC),
    Right.ORDERS_ISOLATION_SECOND_SIGN: _over_area(Role.CDC, Role.CMD_LEAD),
    Right.ORDERS_ISOLATION_LIFT: _over_area(Role.CDC),
    Right.ORDERS_ISOLATION_SEE: _over_area(Role.GRID, Role.COMMUNITY, Role.CDC, Role.SYSTEM),
    Right.ORDERS_PROPOSAL_SEE: _over_area(Role.COMMUNITY, Role.STREET, Role.CDC, Role.CMD_LEAD),
    Right.ORDERS_NOTICE_SERVE: _over_area(Role.GRID, Role.COMMUNITY, Role.CDC),
    Right.ORDERS_NOTICE_PRINT: _over_area(Role.COMMUNITY, Role.CDC, Role.SYSTEM),
    Right.ORDERS_CARE_ACCEPT: _over_area(Role.CMD_DUTY),
    Right.ORDERS_BOARD_POST: _over_area(Role.PROPERTY, Role.COMMUNITY, Role.CDC),
    Right.ORDERS_APPEAL_DECIDE: _over_area(Role.CMD_LEAD),
    Right.ORDERS_RELEASE_CHECK_HEALTH: _over_area(Role.MEDIC, Role.CDC),
    Right.ORDERS_RELEASE_CHECK_STREET: _over_area(Role.STREET),
    Right.ORDERS_CASE_DESTROY: _over_area(Role.CDC),
    # passes
    Right.CREDENTIALS_PASS_ISSUE: _over_area(Role.GRID, Role.COMMUNITY, Role.SYSTEM),
    Right.CREDENTIALS_PASS_REVOKE: _over_area(Role.GRID, Role.COMMUNITY, Role.SYSTEM),
    Right.CREDENTIALS_PASS_PRINT: _over_area(Role.GRID, Role.COMMUNITY, Role.SYSTEM),
    Right.CREDENTIALS_PHONE_ENROL: {**_OWN, **_over_area(Role.GRID, Role.COMMUNITY)},
    # gates
    Right.GATES_DEVICE_ENROL: _over_area(Role.COMMUNITY, Role.STREET, Role.CMD_DUTY),
    Right.GATES_POST_SEE: _over_area(
        Role.GUARD, Role.PROPERTY, Role.COMMUNITY, Role.STREET, Role.CMD_DUTY, Role.CMD_LEAD
    ),
    Right.GATES_BACKLOG_ENTER: _over_area(Role.GUARD, Role.PROPERTY, Role.COMMUNITY),
    Right.GATES_ACT_PROPOSE: _over_area(Role.COMMUNITY, Role.STREET, Role.CMD_DUTY),
    Right.GATES_ACT_SIGN: _over_area(Role.CMD_LEAD),
    Right.GATES_HELP_ANSWER: _over_area(Role.PROPERTY, Role.COMMUNITY, Role.STREET, Role.CMD_DUTY),
    Right.GATES_CODE_OPEN: _over_area(Role.CMD_DUTY),
    Right.GATES_PASS_VERIFY: _over_area(Role.GUARD, Role.POLICE),
    Right.GATES_COUNTS_SEE: _over_area(
        Role.GUARD,
        Role.PROPERTY,
        Role.GRID,
        Role.COMMUNITY,
        Role.STREET,
        Role.CMD_DUTY,
        Role.CMD_LEAD,
        Role.CDC,
        Role.AUDITOR,
    ),
    # chain
    Right.LEDGER_PROOF_SEE: _over_area(*_STAFF),
    # audit
    Right.AUDIT_GRANT_GIVE: _over_area(Role.SECURITY_ADMIN),
    Right.AUDIT_GRANT_USE: _over_area(Role.AUDITOR),
    # system
    Right.CONFIG_SYSTEM_OPERATE: _over_area(Role.SYSTEM_ADMIN),
}

#: Rights that need rows about persons. Only their areas open the second wall (row security): an
#: administrator, a commander or a property manager holds an area too, and it opens nothing (A-7).
OPENS_PERSON_ROWS: Final[frozenset[Right]] = frozenset(
    {
        Right.PEOPLE_PERSON_READ,
        Right.PEOPLE_PERSON_SEARCH,
        Right.PEOPLE_PERSON_REVEAL,
        Right.PEOPLE_PERSON_EXPORT,
        Right.PEOPLE_PERSON_REGISTER,
        Right.PEOPLE_PERSON_CORRECT,
        Right.PEOPLE_ROSTER_IMPORT,
        Right.CONCERNS_PROXY_REPORT,
        Right.CONCERNS_REPORT_SEE,
        Right.CONCERNS_REPORT_ASSESS,
        Right.ORDERS_ISOLATION_PROPOSE,
        Right.ORDERS_ISOLATION_ISSUE,
        Right.ORDERS_ISOLATION_SECOND_SIGN,
        Right.ORDERS_ISOLATION_LIFT,
        Right.ORDERS_ISOLATION_SEE,
        Right.ORDERS_PROPOSAL_SEE,
        Right.ORDERS_NOTICE_SERVE,
        Right.ORDERS_NOTICE_PRINT,
        Right.ORDERS_CARE_ACCEPT,
        Right.ORDERS_APPEAL_DECIDE,
        Right.ORDERS_RELEASE_CHECK_HEALTH,
        Right.ORDERS_RELEASE_CHECK_STREET,
        Right.ORDERS_CASE_DESTROY,
        Right.CREDENTIALS_PASS_ISSUE,
        Right.CREDENTIALS_PASS_REVOKE,
        Right.CREDENTIALS_PASS_PRINT,
        Right.CREDENTIALS_PHONE_ENROL,
    }
)

#: Who may give which office, within the own area. Health, command, audit and administration are given
#: only by the security administrator, who holds none of them.
GRANTS: Final[Mapping[Role, frozenset[Role]]] = {
    Role.PROPERTY: frozenset({Role.GUARD}),
    Role.COMMUNITY: frozenset({Role.GRID, Role.GUARD}),
    Role.STREET: frozenset({Role.COMMUNITY, Role.GRID, Role.PROPERTY, Role.GUARD}),
    Role.CDC: frozenset({Role.MEDIC}),
    Role.CMD_LEAD: frozenset({Role.CMD_DUTY, Role.STREET, Role.POLICE}),
    Role.SECURITY_ADMIN: frozenset(
        {
            Role.CDC,
            Role.CMD_DUTY,
            Role.CMD_LEAD,
            Role.STREET,
            Role.COMMUNITY,
            Role.POLICE,
            Role.MEDIC,
            Role.AUDITOR,
            Role.SYSTEM_ADMIN,
            Role.SECURITY_ADMIN,
        }
    ),
}

#: Rights that restrict, free or carry away: what one person alone shall hand to nobody.
POWERS: Final = frozenset(
    {
        Right.ORDERS_ISOLATION_ISSUE,
        Right.ORDERS_ISOLATION_SECOND_SIGN,
        Right.ORDERS_ISOLATION_LIFT,
        Right.ORDERS_APPEAL_DECIDE,
        Right.GATES_ACT_SIGN,
        Right.RULES_RULE_PUBLISH,
        Right.PEOPLE_PERSON_EXPORT,
    }
)
_POWERFUL: Final = frozenset(role for right in POWERS for role in HELD_BY[right])
#: Offices given by two: one proposes, another confirms (trust.md §6, "grant rights … 2"). Whoever gives such an
#: office holds one too, or the second person could be made by the first.
BY_TWO: Final = _POWERFUL | {giver for giver, given in GRANTS.items() if given & _POWERFUL}

#: Who may confirm which of them, within the own area. The three offices a system begins with suffice.
CONFIRMS: Final[Mapping[Role, frozenset[Role]]] = {
    Role.CDC: frozenset({Role.CDC, Role.SECURITY_ADMIN}),
    Role.CMD_LEAD: frozenset({Role.CMD_LEAD, Role.SECURITY_ADMIN}),
    Role.SECURITY_ADMIN: frozenset({Role.CDC, Role.CMD_LEAD, Role.SECURITY_ADMIN}),
}

#: Purposes for which a role may read (A-1). What a resident does with the own record is OWN_DATA.
PURPOSES: Final[Mapping[Role, frozenset[Purpose]]] = {
    Role.RESIDENT: frozenset({Purpose.OWN_DATA, Purpose.REPORT_INTAKE, Purpose.PASSES, Purpose.APPEAL}),
    Role.GUARD: frozenset({Purpose.GATE, Purpose.ADMINISTRATION}),
    Role.PROPERTY: frozenset({Purpose.GATE, Purpose.SERVICE_OF_NOTICE, Purpose.ADMINISTRATION}),
    Role.GRID: frozenset(
        {
            Purpose.REGISTER_KEEPING,
            Purpose.REPORT_INTAKE,
            Purpose.SERVICE_OF_NOTICE,
            Purpose.CARE,
            Purpose.PASSES,
            Purpose.GATE,
            Purpose.ADMINISTRATION,
        }
    ),
    Role.COMMUNITY: frozenset(
        {
            Purpose.REGISTER_KEEPING,
            Purpose.REPORT_INTAKE,
            Purpose.ISOLATION,
            Purpose.SERVICE_OF_NOTICE,
            Purpose.CARE,
            Purpose.PASSES,
            Purpose.GATE,
            Purpose.ADMINISTRATION,
        }
    ),
    Role.MEDIC: frozenset({Purpose.CARE, Purpose.SERVICE_OF_NOTICE, Purpose.ADMINISTRATION}),
    Role.POLICE: frozenset({Purpose.GATE, Purpose.ADMINISTRATION}),
    Role.STREET: frozenset(
        {
            Purpose.ISOLATION,
            Purpose.SERVICE_OF_NOTICE,
            Purpose.PASSES,
            Purpose.GATE,
            Purpose.REGISTER_KEEPING,
            Purpose.ADMINISTRATION,
        }
    ),
    Role.CDC: frozenset(
        {
            Purpose.CASE_INQUIRY,
            Purpose.ISOLATION,
            Purpose.REPORT_INTAKE,
            Purpose.SERVICE_OF_NOTICE,
            Purpose.APPEAL,
            Purpose.ADMINISTRATION,
        }
    ),
    Role.CMD_DUTY: frozenset({Purpose.CARE, Purpose.GATE, Purpose.ADMINISTRATION}),
    Role.CMD_LEAD: frozenset({Purpose.ISOLATION, Purpose.APPEAL, Purpose.GATE, Purpose.ADMINISTRATION}),
    Role.AUDITOR: frozenset({Purpose.AUDIT, Purpose.ADMINISTRATION}),
    Role.SYSTEM_ADMIN: frozenset({Purpose.ADMINISTRATION}),
    Role.SECURITY_ADMIN: frozenset({Purpose.ADMINISTRATION}),
    Role.SYSTEM: frozenset(Purpose),
}

#: Role → (group, side). Nobody holds two sides of one group at one instant; the schema refuses it too.
#: Whoever orders about persons does not command; who runs, who admits and who audits are three people.
SEPARATED: Final[Mapping[Role, tuple[str, str]]] = {
    Role.CDC: ("health_or_command", "health"),
    Role.CMD_DUTY: ("health_or_command", "command"),
    Role.CMD_LEAD: ("health_or_command", "command"),
    Role.SYSTEM_ADMIN: ("runs_admits_audits", "runs"),
    Role.SECURITY_ADMIN: ("runs_admits_audits", "admits"),
    Role.AUDITOR: ("runs_admits_audits", "audits"),
}

#: Roles that only an organ of one kind can give: no department orders anybody about (trust.md §1.3).
ORGAN_KIND_OF: Final[Mapping[Role, str]] = {
    Role.CDC: "health",
    Role.MEDIC: "health",
    Role.CMD_DUTY: "command",
    Role.CMD_LEAD: "command",
    Role.POLICE: "police",
    Role.STREET: "street",
    Role.COMMUNITY: "community",
    Role.GRID: "community",
    Role.PROPERTY: "property",
}

#: Whoever may give one of these roles may enter a body of the kind. A body with no role of its own, a department or an
#: enterprise, is entered by whoever admits auditors and administrators.
ENTERED_BY: Final[Mapping[str, frozenset[Role]]] = {
    kind: frozenset(role for role, of in ORGAN_KIND_OF.items() if of == kind)
    or frozenset({Role.AUDITOR, Role.SYSTEM_ADMIN})
    for kind in (*dict.fromkeys(ORGAN_KIND_OF.values()), "department", "enterprise")
}


def rights_of(role: Role, *, scope: Scope = Scope.AREA) -> frozenset[Right]:
    """The rights a role holds over that kind of scope."""
    return frozenset(right for right, holders in HELD_BY.items() if holders.get(role) == scope)
