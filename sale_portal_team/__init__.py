from . import controllers, models, wizard


def uninstall_hook(env):
    """Show nobody more than before, and remove what Odoo leaves behind: its records of
    the addon's foreign keys."""
    users = env["res.users"].with_context(active_test=False)
    users.search([("portal_team_id", ">", 0)]).filtered(
        lambda user: user._get_own_contact() is not None
    ).portal_own_documents = True
    env["ir.model.constraint"].search(
        [("module.name", "=", "sale_portal_team"), ("type", "=", "f")]
    ).unlink()
