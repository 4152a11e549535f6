"""The application's database role must stand below row security, or the application does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class RoleTooStrong(SystemExit):
    """Row security does not bind this database role."""


def refuse_strong_role(using: BaseDatabaseWrapper | None = None) -> None:
    """Return if row security binds the role of the connection.

    :raises RoleTooStrong: it is superuser, has BYPASSRLS, or may become such a role
    """
    with (using or connection).cursor() as cursor:
        # A member of a strong role can become it with SET ROLE, so membership counts too.
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls)"
            " AND pg_has_role(current_user, oid, 'MEMBER')"
        )
        strong = sorted(str(name) for (name,) in cursor.fetchall())
    if strong:
        raise RoleTooStrong(
            f"The database role is, or may become, {', '.join(strong)}: superuser or BYPASSRLS. Row security"
            " would not bind it, so lianfang does not start. Give it a role of its own:"
            " CREATE ROLE lianfang LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE."
        )
