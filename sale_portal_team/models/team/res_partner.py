from odoo import models
from odoo.tools import SQL


class ResPartner(models.Model):
    """The people of a company who have access to the portal."""

    _inherit = "res.partner"

    def _find_portal_members(self):
        """Return the portal users of a company, as superuser: the active ones, and
        those whose access its administrators have ended. Who is invited is none before
        the first login: nobody learns whether a request had an effect."""
        # sudo: users are not for everybody to read; callers say what they show
        users_sudo = self.env["res.users"].sudo().with_context(active_test=False)
        portal_id = self.env["ir.model.data"]._xmlid_to_res_id("base.group_portal")
        return users_sudo.search(
            [
                ("partner_id.commercial_partner_id", "=", self.id),
                ("share", "=", True),
                ("all_group_ids", "in", portal_id),
                "|",
                "&",
                ("active", "=", True),
                "|",
                ("portal_activation_date", "!=", False),
                (
                    "portal_invitation_ids",
                    "not any",
                    [("portal_inviter_id", "!=", False)],
                ),
                "&",
                ("portal_ended_date", "!=", False),
                ("portal_team_id", "=", self.id),
            ]
        )

    def _find_portal_administrators(self):
        """Return the users who manage the people of companies, as superuser: those who
        have logged in once."""
        domain = [
            ("active", "=", True),  # whatever the context says
            ("portal_role", "=", "administrator"),
            ("portal_team_id", "in", self.ids),
            ("portal_activation_date", "!=", False),
        ]
        # sudo: roles are not for everybody to read
        users_sudo = self.env["res.users"].sudo().search(domain)
        return users_sudo.filtered(lambda user: user._get_portal_role())

    def _lock_portal_team(self):
        """Have changes of the people of these companies wait for each other.

        The second transaction starts anew, as the row is written: after a mere lock, it
        would go on with what it saw before.
        """
        if self:
            sql = "UPDATE res_partner SET write_date = write_date WHERE id IN %s"
            self.env.cr.execute(SQL(sql, tuple(self.ids)))

    def _note_portal_team(self, person, author, note, reason=False, **names):
        """Note a change on a company and on one of its people, for staff.

        :param person: a contact; none if it has none yet
        :param author: the contact who did it
        :param note: what was done, to be translated
        :param reason: why nothing was done, to be translated
        :param names: what the note names: text or roles
        """
        lang = self.user_id.lang or self.env.company.partner_id.lang or self.env.lang
        env = self.with_context(lang=lang).env
        roles = env["res.users"]._fields["portal_role"]._description_selection(env)
        names = {key: dict(roles).get(name, name) for key, name in names.items()}
        text = env._(note)
        texts = [text % names]
        if reason:
            texts += [env._("Nothing was done:"), env._(reason)]
        for partner_sudo in (self | person).sudo():  # sudo: notes are for staff alone
            partner_sudo._message_log(body=" ".join(texts), author_id=author.id)

    def _warn_without_administrator(self):
        """Have the salesperson of each company without an administrator find one."""
        for company_sudo in self.sudo():  # sudo: customers schedule no activity
            if not company_sudo._find_portal_administrators():
                user = company_sudo.user_id or self.env.ref("base.user_admin")
                company_sudo.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.with_context(lang=user.lang).env._(
                        "No portal administrator: choose one"
                    ),
                    user_id=user.id,
                )
