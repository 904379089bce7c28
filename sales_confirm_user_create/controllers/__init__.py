from . import (
    page,
    activate,
    decline,
    portal,
    portal_account,
)
