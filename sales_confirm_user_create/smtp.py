"""The SMTP connections of the job, and what mail servers reply."""

import contextlib
import re
import smtplib
from functools import partial

from urllib3.util import wait_for_read

from odoo.exceptions import UserError
from odoo.tools.mail import email_split_and_format_normalize, html2plaintext
from odoo.tools.translate import LazyTranslate

from odoo.addons.base.models.ir_mail_server import (
    IdentificationFieldsNoFoldPolicy,
    MailDeliveryException,
)

_lt = LazyTranslate(__name__)

# Servers may quote the message they refuse, and a link is in it. Encoded or not, it is
# a word longer than any that explains something.
LONG_WORD = re.compile(r"\S{40,}")
REPLY_MAX = 300
# RFC 3463: class, subject and detail
ENHANCED_CODE = re.compile(r"[245]\.(\d{1,3})\.\d{1,3}\b")
# RFC 5321, section 3.8: the reply of a server that closes the connection, as it may do
# after some emails.
CLOSED = 421
# what adds nothing to an email without pictures
UNSPOKEN = re.compile(r"</?bdi[^>]*>|<img[^>]*>")
# what `_build_email__` takes of what `_prepare_outgoing_list` returns
BUILT = [
    "attachments",
    "body",
    "body_alternative",
    "email_cc",
    "email_to",
    "headers",
    "message_id",
    "object_id",
    "references",
    "reply_to",
    "subject",
]


class WholeLinks(IdentificationFieldsNoFoldPolicy):
    """Python would encode a long address where RFC 2369 has it as it is."""

    def _fold(self, name, value, *args, **kwargs):
        if name.lower() == "list-unsubscribe":
            return f"{name}: {value}{self.linesep}"
        return super()._fold(name, value, *args, **kwargs)


class NotSent(MailDeliveryException):
    """Why a mail server did not accept an email."""

    def __init__(self, text, code=0, is_about_server=True, is_lost=False):
        """
        :param text: the server's reply, or what Python says of the connection
        :param code: of the reply; 0 if there is none
        :param is_about_server: and not about this recipient
        :param is_lost: the server may have got the email
        """
        # PostgreSQL stores no NUL, which a server may send.
        words = " ".join(text.replace("\0", " ").split())
        if found := ENHANCED_CODE.match(words):
            # a reply of several lines repeats it
            words = f"{found[0]} {words.replace(found[0], '')}"
        words = LONG_WORD.sub("…", " ".join(words.split()))[:REPLY_MAX]
        super().__init__(f"{code} {words}" if code else words)
        self.code, self.is_about_server, self.is_lost = code, is_about_server, is_lost
        # what equal replies to several recipients have in common
        self.key = f"{code} {found[0] if found else ''}".strip()
        # A server may say the same to everybody, except of a recipient. What it says
        # for now, without more, is mostly greylisting.
        self.is_doubtful = found[1] in "3457" if found else code >= 500

    @property
    def is_temporary(self):
        """Whether the server may take the same email later: RFC 5321, section 4.2.1."""
        return self.code < 500


def explain(error):
    """Return the ``NotSent`` of an error that opening or using a connection raised.

    Replies to RCPT and to the content are about the recipient.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [code, reply] = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        return NotSent(str(error).split("\n", maxsplit=1)[0] or repr(error))
    about_recipient = smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError
    return NotSent(
        reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply),
        code,
        is_about_server=code == CLOSED or not isinstance(error, about_recipient),
    )


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
        """Send a message; on a new connection if the server wants no more on this.

        :raise NotSent: Odoo logs it, and what the server said may quote the link
        """
        try:
            try:
                refused = self._connection.send_message(*args, **kwargs)
            except smtplib.SMTPSenderRefused as error:
                if error.smtp_code != CLOSED or not self._is_used:
                    raise
                self._connection = self._connect()
                refused = self._connection.send_message(*args, **kwargs)
        except OSError as error:
            reason = explain(error)
            reason.is_lost = not reason.code
            raise reason from None
        self._is_used = True
        return refused


class Sessions:
    """The connections of one run of the job, one for each server and sender."""

    def __init__(self):
        self._sessions = {}
        self._errors = {}

    def send(self, mail, link):
        """Send an email as ``mail.mail.send`` does, which opens a connection for each,
        and logs a traceback for each refusal.

        :param link: what the email is for, and has to hold
        :raise NotSent: the mail server does not accept it
        """
        [(server_id, domain_id, sender, _ids)] = mail._split_by_mail_configuration()
        # sudo: as in `mail.mail.send`
        domain_sudo = mail.env["mail.alias.domain"].sudo().browse(domain_id)
        server = mail.env["ir.mail_server"].browse(server_id)
        if server._disable_send():
            raise NotSent("Odoo sends no emails while it is updated or tested")
        # Odoo limits how many emails the server of a user sends in a minute.
        if server.owner_user_id and not mail._split_by_delayed_batch(server):
            raise NotSent("limit of emails in a minute")
        [email] = mail._prepare_outgoing_list(mail_server=server)
        if link not in email["body"]:
            raise UserError(
                _lt(
                    "Another app removed the link from the email. Ask your "
                    "administrator to find out which."
                )
            )
        server = server.with_context(
            domain_notifications_email=domain_sudo.default_from_email,
            domain_bounce_address=email["headers"].get("Return-Path")
            or domain_sudo.bounce_email,
            send_validated_to=email["email_to_normalized"],
        )
        # Odoo makes a space of each tag.
        email["body_alternative"] = html2plaintext(UNSPOKEN.sub("", email["body"]))
        message = server._build_email__(
            email_from=email_split_and_format_normalize(mail.email_from)[0],
            subtype="html",
            subtype_alternative="plain",
            **{name: email[name] for name in BUILT},
        )
        message.policy = WholeLinks(linesep=message.policy.linesep)
        session = self._get(server, sender)
        try:
            server.send_email(message, smtp_session=session)
        except AssertionError as error:
            raise UserError(str(error.args[-1])) from error
        except MailDeliveryException as error:
            if isinstance(error.__context__, NotSent):
                raise error.__context__ from None
            raise

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
            self._errors[server.id] = explain(error)
            raise self._errors[server.id] from error
        return session

    def close(self):
        """Close all connections."""
        for session in self._sessions.values():
            with contextlib.suppress(OSError):
                session.quit()
