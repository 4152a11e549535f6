"""Users and offices."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from lianfang.kernel.ids import new_id


class User(AbstractBaseUser):
    """Somebody who can log in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    login = models.CharField(max_length=64, unique=True)
    USERNAME_FIELD = "login"
    objects: BaseUserManager[User] = BaseUserManager()
