{
    "name": "Portal Account on Confirmation: other groups",
    "summary": "A hook that gives new users groups of its own",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "license": "LGPL-3",
    "author": "The sales_confirm_user_create authors",
    "depends": ["sales_confirm_user_create"],
}
