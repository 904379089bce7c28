{
    "name": "Portal Account on Confirmation: an example of a rule of one's own",
    "summary": "Portal accounts only for orders above an amount",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "license": "LGPL-3",
    "author": "The sales_confirm_user_create authors",
    "depends": ["sales_confirm_user_create"],
}
