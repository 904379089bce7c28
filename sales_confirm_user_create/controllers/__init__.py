from . import (
    activate,
    decline,
    portal,
    portal_account,
    portal_claims,
    portal_own_documents,
)
