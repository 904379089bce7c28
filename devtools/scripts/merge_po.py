"""Bring translations up to a template file, as gettext's msgmerge does.

A text that changed a little keeps its translation, marked fuzzy: correct it, remove the
mark. What is no longer in the template goes.

python merge_po.py TEMPLATE.pot LANGUAGE.po…
"""

import difflib
import sys

import polib


def merge(path, template):
    """Rewrite the translations in `path`, with the entries of the file `template`."""
    old = polib.pofile(path)
    new = polib.pofile(template)
    new.header = old.header
    new.metadata = {
        **old.metadata,
        "POT-Creation-Date": new.metadata["POT-Creation-Date"],
    }
    known = {entry.msgid: entry for entry in old if entry.msgstr}
    unused = set(known) - {entry.msgid for entry in new}
    for entry in new:
        if entry.msgid in known:
            source = known[entry.msgid]
            entry.flags = source.flags
            entry.previous_msgid = source.previous_msgid
        elif guess := difflib.get_close_matches(entry.msgid, unused, 1):
            source = known[guess[0]]
            entry.flags = ["fuzzy"]
            entry.previous_msgid = source.msgid
        else:
            continue
        entry.msgstr = source.msgstr
    new.save(path)
    fuzzy = len(new.fuzzy_entries())
    print(f"{path}: {new.percent_translated()} % translated, {fuzzy} fuzzy")


if __name__ == "__main__":
    for language in sys.argv[2:]:
        merge(language, sys.argv[1])
