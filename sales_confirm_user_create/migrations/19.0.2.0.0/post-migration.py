"""Give the accounts of 19.0.1 their invitations, and have jobs use them.

Odoo itself removes the old columns of users, and the old views with the copies that
websites have of them, after all scripts.
"""

from markupsafe import Markup

from odoo import SUPERUSER_ID, api

from odoo.addons.sales_confirm_user_create import _set_activation_dates

LISTED = 20
NEW = "New: Orders / Portal Invitations lists what was sent, what failed, and why."
SETTINGS = (
    "To decide in the Website settings: accounts for contacts of companies show their "
    "own documents (Contacts of Companies); Delete unused accounts; Emails an hour."
)
JOBS = {
    "ir_cron_portal_invitation": "Portal Accounts: send emails",
    "ir_cron_portal_reminder": "Portal Accounts: schedule reminders",
    "ir_cron_portal_account_batch": "Portal Accounts: create for past orders",
}


def migrate(cr, version):
    """Run by Odoo after an update from a version before this folder's."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()
    _set_activation_dates(env)
    _create_invitations(env)
    _switch_jobs(env)
    env["res.users"]._mark_internal_contacts()
    env.invalidate_all()
    _tell_administrators(env)


def _tell_administrators(env):
    """Post one message: what is new, and what to decide."""
    lines = [NEW, SETTINGS]
    templates = env["mail.template"].with_context(active_test=False)
    for template in templates.search([("name", "like", "(edited before 19.0.2)")]):
        lines.append(
            "To decide: invitations have a new mail template. Yours is archived, copy "
            f"your words from there: {template.name}"
        )
    if logins := _find_unreachable(env):
        rest = f", and {len(logins) - LISTED} more" if len(logins) > LISTED else ""
        lines.append(
            "To decide: these accounts were never used, and their login differs from "
            "the address of the contact. They are not invited; change the login, or "
            f"archive the user: {', '.join(logins[:LISTED])}{rest}"
        )
    body = Markup("<p>Portal accounts were updated to 19.0.2.</p><ul>%s</ul>")
    items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
    env["portal.invitation"]._tell_administrators(body % items)


def _find_unreachable(env):
    """Return the logins of unused accounts that no email of ours goes to."""
    env.flush_all()
    env.cr.execute(
        """
        SELECT users.login
          FROM portal_invitation invitation
          JOIN res_users users ON users.id = invitation.user_id
          JOIN res_partner partner ON partner.id = users.partner_id
         WHERE users.active AND users.share AND users.portal_activation_date IS NULL
           AND lower(users.login) IS DISTINCT FROM lower(partner.email_normalized)
         ORDER BY users.login
        """
    )
    return [login for [login] in env.cr.fetchall()]


def _create_invitations(env):
    """Move what users know of their invitations to records.

    The revision is the number of the latest email, which the link of 19.0.1 names, see
    ``res.partner._get_partner_from_token``.
    """
    get_param = env["ir.config_parameter"].get_param
    env.cr.execute(
        """
        INSERT INTO portal_invitation (
                    user_id, partner_id, account_order_id, order_id, company_id,
                    priority,
                    due_date, sent_date, expiry_date,
                    sent_count, reminder_count, failure_count, failure,
                    cancel_reason, revision, is_account_created,
                    create_uid, create_date, write_uid, write_date
        )
        SELECT users.id, users.partner_id,
               CASE WHEN sale.user_created THEN sale.id END, sale.id,
               COALESCE(sale.company_id, users.company_id),
               CASE WHEN sent_count > 0 AND reminder_count > 0 THEN '0'
                    WHEN sent_count > 0 AND due_date IS NOT NULL THEN '2'
                    WHEN users.create_date - sale.date_order < interval '1 day' THEN '3'
                    ELSE '1'
                END,
               due_date, sent_date, sent_date + make_interval(hours => %(hours)s),
               sent_count, reminder_count, failure_count,
               CASE WHEN due_date IS NOT NULL AND failure_count > 0
                    THEN 'See the note on the order.'
                END,
               CASE WHEN NOT has_access THEN 'access' END,
               sent_count + (NOT has_access)::int,
               users.portal_invitation_order_id IS NOT NULL,
               users.create_uid, users.create_date, users.write_uid, users.write_date
          FROM res_users users
          LEFT JOIN sale_order sale ON sale.id = users.portal_invitation_order_id,
       LATERAL (
                SELECT users.active AND EXISTS (
                            SELECT FROM res_groups_users_rel
                             WHERE uid = users.id AND gid = ANY(%(portal_groups)s)
                       ) AS has_access
               ) account,
       LATERAL (
                SELECT CASE WHEN has_access AND NOT EXISTS (
                                SELECT FROM res_users_log WHERE create_uid = users.id
                            )
                            THEN users.portal_invitation_due
                        END AS due_date,
                       users.portal_invitation_date AS sent_date,
                       COALESCE(users.portal_invitation_count, 0) AS sent_count,
                       COALESCE(users.portal_reminder_count, 0) AS reminder_count,
                       COALESCE(users.portal_invitation_failures, 0) AS failure_count
               ) invitation
         WHERE users.portal_invitation_order_id IS NOT NULL
            OR users.portal_invitation_due IS NOT NULL
            OR users.portal_invitation_date IS NOT NULL
         ORDER BY users.id
        """,
        {
            "hours": int(get_param("auth_signup.signup.validity.hours", 144)),
            "portal_groups": env.ref("base.group_portal").all_implied_by_ids.ids,
        },
    )


def _switch_jobs(env):
    """Have the scheduled actions call the methods of invitations.

    They belong to the shop: its intervals stay, and its names if it has edited them.
    """
    for xml_id, name in JOBS.items():
        action = env.ref(f"sales_confirm_user_create.{xml_id}").ir_actions_server_id
        env.cr.execute(
            # Odoo loads the translations of the new name next.
            """
            WITH action AS (
                UPDATE ir_act_server
                   SET model_id = CASE WHEN code LIKE '%%_portal_invitations()%%'
                                       THEN %s ELSE model_id END,
                       code = replace(code, '_portal_invitations()', '()'),
                       name = CASE WHEN write_date = create_date
                                   THEN jsonb_build_object('en_US', %s::text)
                                   ELSE name END
                 WHERE id = %s
             RETURNING id, name
            )
            UPDATE ir_cron
               SET cron_name = action.name->>'en_US'
              FROM action
             WHERE ir_cron.ir_actions_server_id = action.id
            """,
            [env["ir.model"]._get_id("portal.invitation"), name, action.id],
        )
