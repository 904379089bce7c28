"""Give the accounts of 19.0.1 their invitations, and have jobs and emails use them.

Odoo itself removes the old columns of users, and the old views with the copies that
websites have of them, after all scripts.
"""

import re

from psycopg2.extras import Json

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

MODULE = "sales_confirm_user_create"
# XML id: model, its old and its new method, new name
JOBS = {
    "ir_cron_portal_invitation": (
        "portal.invitation",
        "_cron_send_portal_invitations",
        "_cron_send",
        "Portal Invitations: send",
    ),
    "ir_cron_portal_reminder": (
        "portal.invitation",
        "_cron_remind_portal_invitations",
        "_cron_remind",
        "Portal Invitations: send reminders",
    ),
    "ir_cron_portal_account_batch": (
        "portal.account.batch",
        "_cron_process",
        "_cron_process",
        "Portal Invitations: accounts for past orders",
    ),
}
COLUMNS = (
    "body_html",
    "email_cc",
    "email_from",
    "email_to",
    "lang",
    "mail_server_id",
    "partner_to",
    "reply_to",
    "scheduled_date",
    "subject",
)
FIELDS = {
    "portal_invitation_order_id": "order_id",
    "portal_invitation_due": "due_date",
    "portal_invitation_date": "sent_date",
    "portal_invitation_count": "sent_count",
    "portal_invitation_failures": "failure_count",
    "portal_reminder_count": "reminder_count",
}
# What Odoo evaluates in a template. The words of the shop are left alone.
EXPRESSION = re.compile(r'\{\{.*?\}\}|\bt-(?!attf-)[\w-]+="[^"]*"', re.DOTALL)
OBJECT = re.compile(rf"(?<![\w.'-])object\b(?:\.({'|'.join(FIELDS)})\b)?")
CONTEXT = re.compile(
    r"""ctx(?:\.get\(|\[)\s*(?:'|"|&quot;)portal_invitation_(\w+)(?:'|"|&quot;)"""
    r"""(?:,[^()\[\]]*)?\s*[)\]]"""
)


def migrate(cr, version):
    """Run by Odoo after an update from a version before this folder's.

    :param version: the version that was installed
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()
    _create_invitations(env)
    _switch_jobs(env)
    _adapt_mail_templates(env)
    env["res.users"]._mark_internal_contacts()
    env.invalidate_all()


def _create_invitations(env):
    """Move what users know of their invitations to records.

    The revision is the number of the latest email, which the link of 19.0.1 names, see
    ``res.partner._get_partner_from_token``.
    """
    get_param = env["ir.config_parameter"].get_param
    env.cr.execute(
        """
        INSERT INTO portal_invitation (
                    user_id, partner_id, order_id, company_id, priority,
                    due_date, sent_date, expiry_date,
                    sent_count, reminder_count, failure_count, failure,
                    cancel_reason, revision,
                    create_uid, create_date, write_uid, write_date
        )
        SELECT users.id, users.partner_id, sale.id,
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
               users.create_uid,
               -- later than an account that somebody else has created
               users.create_date
               + (users.portal_invitation_order_id IS NULL)::int * interval '1 second',
               users.write_uid, users.write_date
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
    for xml_id, (model, old_method, method, name) in JOBS.items():
        env.cr.execute(
            # Odoo loads the translations of the new name next.
            """
            WITH action AS (
                UPDATE ir_act_server
                   SET model_id = %s,
                       code = replace(code, %s, %s),
                       name = CASE WHEN write_date = create_date
                                   THEN jsonb_build_object('en_US', %s::text)
                                   ELSE name
                               END
                 WHERE id = %s
             RETURNING id, name
            )
            UPDATE ir_cron
               SET cron_name = action.name->>'en_US'
              FROM action
             WHERE ir_cron.ir_actions_server_id = action.id
            """,
            [
                env["ir.model"]._get_id(model),
                old_method,
                method,
                name,
                env.ref(f"{MODULE}.{xml_id}").ir_actions_server_id.id,
            ],
        )


def _adapt_mail_templates(env):
    """Have the mail template write about invitations.

    If the shop has edited it, its words stay. Reminders had the same words, and have a
    template of their own now.
    """
    invitation = env.ref(f"{MODULE}.mail_template_portal_invitation")
    is_edited = invitation.write_date != invitation.create_date
    columns = SQL(", ").join(map(SQL.identifier, COLUMNS))
    [values] = env.execute_query(
        SQL("SELECT %s FROM mail_template WHERE id = %s", columns, invitation.id)
    )
    if is_edited:
        reminder = env.ref(f"{MODULE}.mail_template_portal_reminder")
        _write_template(env, reminder, values, is_reminder=True)
        env.cr.execute(
            """
            INSERT INTO email_template_attachment_rel (email_template_id, attachment_id)
            SELECT %s, attachment_id
              FROM email_template_attachment_rel
             WHERE email_template_id = %s
            """,
            [reminder.id, invitation.id],
        )
    # Odoo resets only what it can render.
    _write_template(env, invitation, values, is_reminder=False)
    env.invalidate_all()
    if not is_edited:
        invitation.reset_template()
        env.flush_all()
        # so that the next release can tell, too
        env.cr.execute(
            "UPDATE mail_template SET write_date = create_date WHERE id = %s",
            [invitation.id],
        )


def _write_template(env, template, values, is_reminder):
    """Write on a template what one of users says; Odoo would check that it can render
    it, and stop the update otherwise.

    :param values: of the columns, in their order
    """
    values = [_rewrite(value, is_reminder) for value in values]
    model_id = env["ir.model"]._get_id("portal.invitation")
    assignments = [
        SQL("%s = %s", SQL.identifier(column), value)
        for column, value in (
            *zip(COLUMNS, values, strict=True),
            ("model", "portal.invitation"),
            ("model_id", model_id),
        )
    ]
    env.cr.execute(
        SQL(
            "UPDATE mail_template SET %s WHERE id = %s",
            SQL(", ").join(assignments),
            template.id,
        )
    )


def _rewrite(value, is_reminder):
    """Return what a template of users says as one of invitations does.

    :param value: of a column; a translated one is a dict
    :param is_reminder: whether it is for reminders
    """
    if isinstance(value, dict):
        return Json({lang: _rewrite(text, is_reminder) for lang, text in value.items()})
    if not isinstance(value, str):
        return value
    names = {
        "url": "ctx.get('sales_confirm_user_create_url')",
        "validity": "object.validity",
        "is_reminder": str(is_reminder),
    }

    def rewrite(match):
        text = OBJECT.sub(
            lambda found: f"object.{FIELDS.get(found[1], 'user_id')}", match[0]
        )
        return CONTEXT.sub(lambda found: names.get(found[1], found[0]), text)

    return EXPRESSION.sub(rewrite, value)
