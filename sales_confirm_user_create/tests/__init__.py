from . import (
    test_confirm,
    test_faults,
    test_i18n,
    test_identity,
    test_invitation,
    test_payment,
    test_performance,
    test_portal_adoption_report,
    test_security,
    test_shop,
    test_website,
)
