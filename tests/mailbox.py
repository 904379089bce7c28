"""A real mail server on loopback that keeps what it receives."""

import asyncio
import email
import email.policy
import re
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import lxml.html
from aiosmtpd.controller import Controller

from devtools.instance import free_port

# a link as in this release, or as in the first
INVITATION = r"/(web/portal/activate|web/signup)\?"


@dataclass(frozen=True)
class Mail:
    """A received mail: the envelope and the message."""

    sender: str
    recipients: tuple
    message: EmailMessage

    @property
    def html(self):
        """The HTML part as text."""
        return self.message.get_body(("html",)).get_content()

    @property
    def text(self):
        """The plain-text part."""
        return self.message.get_body(("plain",)).get_content()

    @property
    def link(self):
        """The address behind the mail's button."""
        [href] = lxml.html.fromstring(self.html).xpath(
            "//a[starts-with(@href, 'http')][not(contains(@href, 'decline'))]/@href"
        )
        return href


class Mailbox:
    """An SMTP server that can be stopped, slow, or refuse what it is sent.

    `delay` seconds pass before it answers to a mail; `refusal` is a function of a mail
    that returns what to answer instead of accepting it, or None.
    """

    def __init__(self):
        self.port = free_port()
        self.delay = 0
        self.refusal = None
        self.attempts = 0
        self._mails = []
        self._arrived = threading.Condition(threading.RLock())
        self._controller = None

    def start(self):
        """Serve, again after `stop`, on the same port."""
        if not self._controller:
            self._controller = Controller(self, "127.0.0.1", self.port)
            self._controller.start()
        return self

    def stop(self):
        """Stop serving, as a mail server that is down."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def recover(self):
        """Work again after `stop`, a delay or a refusal."""
        self.delay, self.refusal = 0, None
        self.start()

    async def handle_DATA(self, _server, _session, envelope):
        """Take a mail, called by aiosmtpd."""
        self.attempts += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        message = email.message_from_bytes(
            envelope.content, policy=email.policy.default
        )
        mail = Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message)
        if self.refusal and (reply := self.refusal(mail)):
            return reply
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()
        return "250 OK"

    def received(self, address=None, pattern=""):
        """Return the mails so far, to one address and with one subject or text."""
        with self._arrived:
            return [
                mail
                for mail in self._mails
                if address in (None, *mail.recipients)
                and re.search(pattern, mail.message["Subject"] + mail.html)
            ]

    def invitations(self, address=None):
        """Return the invitations and reminders so far, to one address."""
        return self.received(address, INVITATION)

    def wait(self, address=None, pattern=INVITATION, count=1, timeout=60):
        """Wait for mails to arrive and return them.

        :raise AssertionError: fewer than `count` came in time
        """
        with self._arrived:
            self._arrived.wait_for(
                lambda: len(self.received(address, pattern)) >= count, timeout
            )
        mails = self.received(address, pattern)
        assert len(mails) >= count, (
            f"{len(mails)} of {count} mails “{pattern}” for {address}; there are "
            + str([(mail.recipients, mail.message["Subject"]) for mail in self._mails])
        )
        return mails

    def wait_for_one(self, address, pattern=INVITATION):
        """Wait for the only mail and return it.

        :raise AssertionError: none came, or more than one
        """
        mails = self.wait(address, pattern)
        assert len(mails) == 1, f"{len(mails)} mails for {address}"
        return mails[0]


def token_in(link):
    """Return the secret part of an activation link, without what encodings change."""
    return parse_qs(urlsplit(link).query)["token"][0].rstrip("=")
