"""What an account had before its mailbox was proven."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit


class Unproven(NamedTuple):
    """What an account had before its mailbox was proven: a way in, or an address."""

    key: str  # in forms
    name: str  # what its owner knows it by
    date: datetime | None
    remove: Callable


def list_unproven(kind, records, remove):
    """Return records as a list of ``Unproven``.

    :param kind: what they are, translated
    :param remove: function that removes a record
    """
    return [
        Unproven(
            key=f"{record._name}-{_get_key(record)}",
            name=record.env._("%(kind)s: %(name)s", kind=kind, name=_get_name(record)),
            date=record.last_activity
            if record._name == "res.device"
            else record.create_date,
            remove=partial(remove, record),
        )
        for record in records
    ]


def _get_key(record):
    """Return what stays the same of a record while a customer looks at a form."""
    if record._name != "res.device":
        return record.id
    # It has the id of its latest activity.
    parts = record.session_identifier, record.platform, record.browser
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _get_name(record):
    """Return what the customer knows a record by."""
    if record._name == "res.partner":
        names = ("name", "street", "zip", "city", "email", "phone")
        return ", ".join(filter(None, map(record.__getitem__, names)))
    if record._name == "mail.push.device":
        return urlsplit(record.endpoint).hostname or ""
    if record._name == "res.device" and not (record.platform or record.browser):
        return record.ip_address or ""
    return record.display_name
