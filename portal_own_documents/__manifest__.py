{
    "name": "Portal: Own Documents Only",
    "summary": "Choose for each portal user of a company: own documents only, or all",
    "version": "19.0.2.0.0",
    "category": "Sales/Sales",
    "license": "LGPL-3",
    "author": "The sales_confirm_user_create authors",
    "depends": ["website_sale"],
    "data": [
        "security/portal_own_documents_security.xml",
        "views/res_partner_views.xml",
    ],
}
