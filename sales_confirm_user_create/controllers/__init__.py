from . import (
    activate,
    decline,
    portal,
    portal_account,
)
