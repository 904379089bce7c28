from . import (
    test_addresses,
    test_documents,
    test_i18n,
    test_invoices,
    test_mailed,
    test_pages,
    test_rules,
    test_switch,
    test_undecided,
    test_visitors,
)
