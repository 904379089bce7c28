"""Orders and invoices of companies, by the million."""

from odoo import Command

from .factory import clone, clone_partners

PASSWORD = "own-documents"
OTHERS, CONTACTS = 10_000, 50


def fill(env, job):
    """Make a company whose contacts have each 20 orders and 10 invoices, all addressed
    to its accounting, among `orders` of other companies and half as many invoices.

    :return: login and password of a portal user of the company
    """
    values = {"name": "Acme", "email": "acme@known.example", "is_company": True}
    acme = env["res.partner"].create(values)
    values = {"name": "Accounting", "parent_id": acme.id, "type": "invoice"}
    accounting = env["res.partner"].create(values)
    contacts = env["res.partner"].create(
        [
            {"name": f"c{i}", "email": f"c{i}@acme.example", "parent_id": acme.id}
            for i in range(CONTACTS)
        ]
    )
    user = env["res.users"].create(
        {
            "login": contacts[0].email,
            "password": PASSWORD,
            "partner_id": contacts[0].id,
            "group_ids": [Command.set(env.ref("base.group_portal").ids)],
        }
    )
    values = {"name": "Chair", "type": "service", "invoice_policy": "order"}
    line = Command.create({"product_id": env["product.product"].create(values).id})
    order = env["sale.order"].create(
        {"partner_id": contacts[0].id, "order_line": [line]}
    )
    order.with_context(mail_notrack=True).action_confirm()
    invoice = order._create_invoices()
    invoice.action_post()
    env.flush_all()
    others = clone_partners(env, acme, "'other.example'", list(range(OTHERS)))
    for name, count, ids, address in (
        ("A", 20 * CONTACTS, contacts.ids, accounting.id),
        ("B", job["orders"], others, None),
    ):
        person = f"(%(ids)s)[number %% {len(ids)} + 1]"
        to, source = address or person, "generate_series(1, {}) number"
        both = {"name": f"'{name}' || number", "access_token": "NULL"}
        both |= {"ids": ids, "partner_shipping_id": to}
        bought = both | {"partner_id": person, "partner_invoice_id": to}
        clone(env, order, source.format(count), **bought)
        billed = both | {"partner_id": to, "portal_buyer_id": person}
        billed["commercial_partner_id"] = acme.id if address else person
        clone(env, invoice, source.format(count // 2), **billed)
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()
    return user.login, PASSWORD
