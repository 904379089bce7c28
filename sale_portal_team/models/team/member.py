"""The list of a company's people."""

from datetime import timedelta

from odoo import fields


def list_members(company, requests):
    """Return the people of a company, by name, as dicts.

    Those who are invited are shown by what was typed, whether or not that had an
    effect, see ``portal.team.request``.

    :param company: a contact
    :param requests: its open invitations
    """
    users = company._find_portal_members()
    logs = company.env["res.users.log"]._read_group(
        [("create_uid", "in", users.ids)], ["create_uid"], ["create_date:max"]
    )
    login_dates = {user.id: latest for user, latest in logs}
    hours = company.env["portal.invitation"]._get_validity_hours()
    members = [
        {
            "key": f"request-{request.id}",
            "name": request.name,
            "address": request.email,
            "role": request.role,
            "until": (until := request.create_date + timedelta(hours=hours)),
            "state": "expired" if until < fields.Datetime.now() else "invited",
        }
        for request in requests
    ] + [
        {
            "key": f"user-{user.id}",
            "name": user.name or user.login,
            "address": user.login,
            "role": user._get_portal_role(),
            "state": "active" if user.active else "ended",
            "is_new": not user.portal_activation_date,
            "login_date": login_dates.get(user.id),
        }
        for user in users
    ]
    return sorted(members, key=lambda member: member["name"].lower())
