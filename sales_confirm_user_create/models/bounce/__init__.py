from . import mail_thread, portal_invitation
