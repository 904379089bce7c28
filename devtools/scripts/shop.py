# ruff: noqa: F821 - the shell brings `env`
"""Run in `odoo shell`: make the demo shop one that can be walked at once."""

languages = env["res.lang"].search([("code", "in", ("en_US", "fr_FR", "ar_001"))])
env["website"].search([]).language_ids = languages

env.ref("payment.payment_provider_demo").write({"state": "test", "is_published": True})
env.ref("payment.payment_provider_transfer").write(
    {"state": "enabled", "is_published": True}
)

# A demo shop has nothing to report to Odoo's servers.
env.ref("mail.ir_cron_module_update_notification").active = False

# The demo data's own mails, about its activities, would hide the shop's.
env["mail.mail"].search([("state", "=", "outgoing")]).unlink()

env.cr.commit()
