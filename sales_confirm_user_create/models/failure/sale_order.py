from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    portal_account_notice = fields.Char(
        related="partner_id.portal_account_notice",
        related_sudo=False,
        groups="base.group_user",
    )

    def _note_invitation_failure(self, invitation):
        """Note on the order that staff must act on an invitation."""
        notes = {}
        for order in self:
            reader = invitation.with_context(lang=order._with_note_lang().env.lang)
            company = invitation.company_id
            if company.portal_mail_wait_date:
                text = reader.env._(
                    "Portal invitations of %(company)s are paused. %(reason)s",
                    company=company.name,
                    reason=reader._describe(company.portal_mail_failure),
                )
            elif invitation.due_date:
                text = reader.env._(
                    "The portal invitation could not be sent. We will retry. %s",
                    reader._describe_failure(),
                )
            else:
                text = reader.env._(
                    "The portal invitation could not be sent. %s",
                    reader._describe_failure(),
                )
            notes[order] = text
        self._log_portal_account_notes(notes)
