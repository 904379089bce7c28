"""Odoo 19 and the virtual environment that runs it."""

import functools
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .base import (
    PROJECT,
    DevtoolsError,
    build_dir,
    cache_dir,
    digest,
    lock,
    python_version,
    run,
    step,
)

# Debian's Odoo links to these fonts and scripts by relative paths, which resolve
# once all are unpacked into one root.
SID_PACKAGES = [
    "odoo-19",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
]
# sid has a newer major of Font Awesome and another layout of Inconsolata.
BOOKWORM_PACKAGES = ["fonts-font-awesome", "fonts-inconsolata"]
# Debian leaves this script out, and the backend's bundle names it.
SELFIE_PACKAGE = "@mediapipe/selfie_segmentation@0.1.1675465747"
SELFIE_FILE = "selfie_segmentation.js"
REQUIREMENTS = PROJECT / "requirements"

WAYS_OUT = (
    "Ways out: set ODOO_HOME to a checkout of Odoo 19.0 (with odoo-bin), "
    "or use Docker: docker compose up."
)


@dataclass(frozen=True)
class Odoo:
    """An Odoo 19 on disk and the Python that runs it."""

    root: Path
    python: Path
    launcher: Path
    library: Path
    addons: tuple
    version: str

    @property
    def is_checkout(self):
        """Tell whether it is a checkout of the user's own."""
        return self.library == self.root

    def command(self, *args):
        """Return the command line of `odoo <args>`."""
        return [str(self.python), str(self.launcher), *map(str, args)]

    def addons_path(self, *extra):
        """Return the value of `--addons-path`, with the folders `extra` first."""
        return ",".join(map(str, (*extra, *self.addons)))

    def environ(self):
        """Return the environment for a process that imports Odoo."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.library),
            "PATH": f"{self.python.parent}:{os.environ.get('PATH', '')}",
        }


def get_odoo():
    """Return Odoo with its virtual environment, both set up where missing.

    :raise DevtoolsError: it cannot be had; with the ways out
    """
    python = virtualenv("odoo", "test")
    if os.environ.get("ODOO_HOME"):
        home = Path(os.environ["ODOO_HOME"]).expanduser().resolve()
        return _checkout(home, python)
    root = _debian_odoo()
    library = root / "usr/lib/python3/dist-packages"
    return Odoo(
        root=root,
        python=python,
        launcher=root / "usr/bin/odoo",
        library=library,
        addons=(library / "odoo/addons",),
        version=(root / "VERSION").read_text().strip(),
    )


def _checkout(home, python):
    """Return the Odoo checkout at `home`.

    :raise DevtoolsError: there is none, or it is of another series
    """
    release = home / "odoo/release.py"
    if not (home / "odoo-bin").exists() or not release.exists():
        raise DevtoolsError(f"ODOO_HOME={home} is no Odoo checkout: no odoo-bin.")
    text = release.read_text()
    if not re.search(r"version_info\s*=\s*\(19,\s*0\b", text):
        raise DevtoolsError(f"ODOO_HOME={home} is not Odoo 19.0: check out 19.0.")
    # Git's own name of the commit, as a checkout has no package version.
    # It may belong to somebody else than root, which is who installs packages.
    git = ["git", "-c", f"safe.directory={home}", "-C", home]
    head = run([*git, "rev-parse", "HEAD"]) if _is_git(home) else text
    return Odoo(
        root=home,
        python=python,
        launcher=home / "odoo-bin",
        library=home,
        addons=(home / "odoo/addons", home / "addons"),
        version=head.strip(),
    )


def _is_git(home):
    return (home / ".git").exists()


def requirements_digest(*names):
    """Return a hash of some of the pins and of the Python they are installed for."""
    files = [REQUIREMENTS / f"{name}.txt" for name in names]
    return digest(python_version(), *(path.read_bytes() for path in files))


@functools.cache
def virtualenv(*names):
    """Return the interpreter of a virtual environment, made where it is missing.

    :param names: which files of pins in `requirements/` to install
    """
    venv = cache_dir() / f"venv-{'-'.join(names)}-{requirements_digest(*names)}"
    python = venv / "bin/python"
    # Scripts in a virtual environment hold its path, so it cannot be renamed into
    # place; the marker is written last instead.
    complete = venv / ".complete"
    if complete.exists():
        return python
    with lock("venv"):
        if complete.exists():
            return python
        shutil.rmtree(venv, ignore_errors=True)
        with step(f"install the Python packages for {' and '.join(names)}"):
            run([sys.executable, "-m", "venv", venv])
            pip = [python, "-m", "pip", "install", "--quiet", "--no-input"]
            files = [
                arg for name in names for arg in ("-r", REQUIREMENTS / f"{name}.txt")
            ]
            run([*pip, *files], what="pip install")
        complete.touch()
    return python


def _debian_odoo():
    """Return the root that Debian's Odoo 19 is unpacked into."""
    root = cache_dir() / (
        "odoo-" + digest(*SID_PACKAGES, *BOOKWORM_PACKAGES, SELFIE_PACKAGE)
    )
    if root.exists():
        return root
    with lock("odoo"):
        if not root.exists():
            with build_dir(root) as temp:
                _download_odoo(temp)
    return root


def _download_odoo(root):
    """Download Odoo and what it links to, and unpack all into `root`.

    :raise DevtoolsError: a package is missing
    """
    apt = root / "apt"
    with step("download Odoo 19 (130 MB)"):
        options = _private_apt(apt)
        names = SID_PACKAGES + [f"{name}/bookworm" for name in BOOKWORM_PACKAGES]
        try:
            run(["apt-get", *options, "download", *names], cwd=apt)
        except DevtoolsError as error:
            raise DevtoolsError(
                f"{error}\nDebian sid has no such package now. {WAYS_OUT}"
            ) from error
    with step("unpack Odoo 19 (1.2 GB)"):
        for deb in sorted(apt.glob("*.deb")):
            run(["dpkg-deb", "-x", deb, root])
        [odoo_deb] = apt.glob("odoo-19_*.deb")
        version = run(["dpkg-deb", "--field", odoo_deb, "Version"])
        shutil.rmtree(apt)
        _add_selfie_script(root)
    (root / "VERSION").write_text(version)


def _private_apt(folder):
    """Make an apt state of our own in `folder` and return the options that use it.

    The system's package lists stay as they are, and nothing from sid can get
    installed by accident. apt checks the signatures with the machine's own keys.

    :raise DevtoolsError: no Debian mirror is configured, or it does not answer
    """
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    targets = run(
        [
            "apt-get",
            "indextargets",
            "--format=$(REPO_URI) $(RELEASE)",
            "Created-By: Packages",
        ]
    )
    mirrors = [
        uri
        for uri, release in map(str.split, targets.splitlines())
        # "bookworm", not "bookworm-security", which has a mirror of its own
        if "-" not in release.strip("/")
    ]
    if not mirrors:
        raise DevtoolsError(f"apt knows no Debian mirror on this machine. {WAYS_OUT}")
    sources = folder / "sources.list"
    sources.write_text(
        "".join(f"deb {mirrors[0]} {suite} main\n" for suite in ("sid", "bookworm"))
    )
    options = [
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=-",
        f"-oDir::State::Lists={folder}/lists",
        f"-oDir::Cache::Archives={folder}/archives",
        "-oDir::Cache::pkgcache=",
        "-oDir::Cache::srcpkgcache=",
        "-oAcquire::Languages=none",
    ]
    if os.geteuid() == 0:
        # apt's own download user may not reach our folder
        options.append("-oAPT::Sandbox::User=root")
    try:
        run(["apt-get", *options, "--error-on=any", "update"])
    except DevtoolsError as error:
        raise DevtoolsError(f"{error}\n{WAYS_OUT}") from error
    return options


def _add_selfie_script(root):
    """Put the script that Debian leaves out into its place below `root`."""
    static = root / "usr/lib/python3/dist-packages/odoo/addons/mail/static"
    target = static / "lib/selfie_segmentation"
    work = root / "npm"
    work.mkdir()
    run(["npm", "pack", "--silent", SELFIE_PACKAGE], cwd=work)
    [archive] = work.glob("*.tgz")
    run(["tar", "-xzf", archive, "-C", work])
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / "package" / SELFIE_FILE, target / SELFIE_FILE)
    shutil.rmtree(work)
