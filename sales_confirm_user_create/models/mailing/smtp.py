"""The SMTP connections of the job, and what mail servers reply."""

import contextlib
import re
import smtplib
from functools import partial

from urllib3.util import wait_for_read

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

# Servers may quote the message they refuse, and a link is in it. Encoded or not, it is
# a word longer than any that explains something.
LONG_WORD = re.compile(r"\S{40,}")
# RFC 5321, section 3.8: the reply of a server that closes the connection, as it may do
# after some emails.
CLOSED = 421


class ServerUnreachable(MailDeliveryException):
    """No connection to the mail server could be opened."""


class Session:
    """An SMTP connection for several emails, see ``smtplib.SMTP``."""

    def __init__(self, connect):
        """:param connect: function that returns an open connection"""
        self._connect = connect
        self._connection = connect()
        self._is_used = False

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def is_open(self):
        """Return whether the server has not closed the connection.

        It is asked only if it has sent something: each command takes a round trip.
        """
        try:
            return not wait_for_read(self.sock, timeout=0) or self.noop()[0] == 250
        except AttributeError:
            return True  # a module may return something that only sends
        except (OSError, TypeError):
            return False  # without a socket it is closed

    def send_message(self, *args, **kwargs):
        """Send a message; on a new connection if the server wants no more on this."""
        try:
            try:
                refused = self._connection.send_message(*args, **kwargs)
            except smtplib.SMTPSenderRefused as error:
                if error.smtp_code != CLOSED or not self._is_used:
                    raise
                self._connection = self._connect()
                refused = self._connection.send_message(*args, **kwargs)
        except smtplib.SMTPException as error:
            _shorten_replies(error)
            raise
        self._is_used = True
        return refused


class Sessions:
    """The connections of one run of the job, one for each server and sender."""

    def __init__(self):
        self._sessions = {}
        self._errors = {}

    def send(self, mail):
        """Send an email as ``mail.mail.send`` does, which opens a connection for each.

        :raise MailDeliveryException: the mail server does not accept it
        """
        [(server_id, domain_id, sender, _ids)] = mail._split_by_mail_configuration()
        server = mail.env["ir.mail_server"].browse(server_id)
        if server.owner_user_id:
            # Odoo limits how many emails such a server sends in a minute.
            mail.send(raise_exception=True)
            return
        mail._send(
            raise_exception=True,
            smtp_session=self._get(server, sender),
            alias_domain_id=domain_id,
            mail_server=server,
        )

    def _get(self, server, sender):
        """Return an open connection, or raise what kept it from opening."""
        session = self._sessions.get((server.id, sender))
        if session and session.is_open():
            return session
        if error := self._errors.get(server.id):
            raise error
        connect = partial(server._connect__, mail_server_id=server.id, smtp_from=sender)
        try:
            session = self._sessions[server.id, sender] = Session(connect)
        except Exception as error:
            self._errors[server.id] = ServerUnreachable(str(error))
            raise self._errors[server.id] from error
        return session

    def close(self):
        """Close all connections."""
        for session in self._sessions.values():
            with contextlib.suppress(OSError):
                session.quit()


def classify(error):
    """Return whether the mail server may take the same email later, and whether it
    refuses this address, and possibly no other.

    RFC 5321, section 4.2.1: replies from 400 to 499 are transient.
    """
    while error and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    if replies := _get_replies(error):
        is_temporary = all(400 <= code < 500 for code, _reply in replies)
    else:
        is_refused = isinstance(error, smtplib.SMTPException)
        is_lost = isinstance(error, smtplib.SMTPServerDisconnected)
        is_temporary = is_lost or bool(error and not is_refused)
    return is_temporary, isinstance(error, smtplib.SMTPRecipientsRefused)


def _get_replies(error):
    """Return the codes and texts of a server's replies."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return list(error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return [(error.smtp_code, error.smtp_error)]
    return []


def _shorten_replies(error):
    """Have an error say what the server replied, without long words."""
    texts = set()
    for code, reply in _get_replies(error):
        text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
        texts.add(f"{code} {text}")
    if texts:
        error.args = (LONG_WORD.sub("…", " ".join(", ".join(texts).split())),)
