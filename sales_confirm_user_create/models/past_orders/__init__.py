from . import portal_account_batch
