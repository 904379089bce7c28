from . import (
    test_end,
    test_i18n,
    test_invite,
    test_known,
    test_role,
    test_staff,
    test_team,
    test_viewer,
)
