from . import (
    page,
    activate,
    decline,
    login,
    portal,
    portal_account,
)
