from . import (
    test_claim,
    test_claim_end,
    test_claim_performance,
    test_claim_portal,
    test_i18n,
    test_security,
)
