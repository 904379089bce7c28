import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import polib

from odoo.modules import get_module_path
from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

# that each addon comes with, in full; more may be there
LANGUAGES = {"ar", "de", "es", "fr", "it", "nl", "pt_BR"}
REFRESH = "run `make i18n`, then translate what is new"

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|{{.*?}}")
TAG = re.compile(r"<[^>]+>")
# what a translation says in its own words, and the direction it is read in
TRANSLATED_ATTRIBUTE = re.compile(r' (?:title|dir)="[^"]*"')


@tagged("post_install", "-at_install")
class TestI18n(TransactionCase):
    """The translations of this addon; other addons inherit it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addon = cls.__module__.split(".")[2]
        cls.folder = Path(get_module_path(cls.addon)) / "i18n"
        cls.template = cls._read(f"{cls.addon}.pot")

    @classmethod
    def _read(cls, name):
        return polib.pofile(str(cls.folder / name))

    def _get_places(self, entries):
        """Return where each text is used: Odoo loads a translation place by place."""
        return {entry.msgid: sorted(entry.occurrences) for entry in entries}

    def _get_marks(self, text):
        """Return the placeholders and the tags of a text, in any order."""
        tags = (TRANSLATED_ATTRIBUTE.sub("", tag) for tag in TAG.findall(text))
        return Counter(tags), Counter(PLACEHOLDER.findall(text))

    def _get_fault(self, entry):
        """Return what is wrong with a translation, or False."""
        if not entry.msgstr.strip():
            return "not translated"
        if entry.fuzzy:
            return "fuzzy: correct it and remove the mark"
        if self._get_marks(entry.msgstr) != self._get_marks(entry.msgid):
            return "other placeholders or tags"
        return False

    def test_template_file_has_what_the_source_has(self):
        buffer = BytesIO()
        trans_export(None, [self.addon], buffer, "po", self.env)
        exported = self._get_places(polib.pofile(buffer.getvalue().decode()))
        stored = self._get_places(self.template)
        self.assertFalse(exported.keys() - stored.keys(), f"new: {REFRESH}")
        self.assertFalse(stored.keys() - exported.keys(), f"gone: {REFRESH}")
        self.assertEqual(exported, stored, f"used elsewhere: {REFRESH}")

    def test_each_language_has_a_file(self):
        files = {path.stem for path in self.folder.glob("*.po")}
        self.assertLessEqual(LANGUAGES, files)

    def test_each_language_is_translated_in_full(self):
        places = self._get_places(self.template)
        for language in sorted(LANGUAGES):
            with self.subTest(language=language):
                translations = self._read(f"{language}.po")
                self.assertEqual(self._get_places(translations), places, REFRESH)
                faults = {entry.msgid: self._get_fault(entry) for entry in translations}
                self.assertFalse({text: why for text, why in faults.items() if why})
