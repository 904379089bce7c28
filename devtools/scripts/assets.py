# ruff: noqa: F821 - the shell brings `env`
"""Run in `odoo shell`: compile scripts and styles, which each tour would do again."""

qweb = env["ir.qweb"]
qweb._pregenerate_assets_bundles()
# Arabic's styles, which the above leaves out
for bundle in qweb._get_bundles_to_pregenarate()[1]:
    qweb._get_asset_bundle(bundle, js=False, rtl=True).css()

env.cr.commit()
