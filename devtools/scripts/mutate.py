"""Run by the Python that has Odoo and mutmut: see `devtools/mutation.py`.

Arguments: Odoo's configuration file, a database, the file for the report, and the files
to mutate, all of one addon.
"""

import ast
import contextlib
import difflib
import functools
import inspect
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import coverage
import libcst
from mutmut.mutation.file_mutation import create_mutations
from werkzeug.local import LocalProxy

import odoo.http
import odoo.modules.module
import odoo.modules.registry
import odoo.sql_db
from odoo.service import server
from odoo.tests import loader
from odoo.tests.result import OdooTestResult
from odoo.tests.suite import OdooSuite
from odoo.tools import config

# A test that takes longer than this, which is a tour in a browser, is left out.
SLOW = 6
# A change may make a loop endless: so many seconds beyond five times the usual.
PATIENCE = 60
CAUGHT, SURVIVED, TIMEOUT, NOT_TRIED, BROKEN = range(5)


class FirstFailure(OdooTestResult):
    """A result that stops at the first failure, which is in the `latest` test."""

    latest = None

    def startTest(self, test):
        super().startTest(test)
        self.latest = test

    @property
    def shouldStop(self):
        return not self.wasSuccessful()

    @shouldStop.setter
    def shouldStop(self, value):
        pass


# === Changes === #


class WithoutDecorators(libcst.CSTTransformer):
    """Takes decorators off: mutmut leaves out what has one, and only code is taken."""

    def leave_FunctionDef(self, original_node, updated_node):
        return updated_node.with_changes(decorators=[])


def strip_docstrings(tree):
    """Remove docstrings, which are code to mutmut, and to nobody else."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def make_mutants(path):
    """Yield the changes of a file that make a difference, one at a time.

    :return: triples of the changed method's qualified name, a diff, and its new code
    """
    module = libcst.parse_module(path.read_text()).visit(WithoutDecorators())
    base = libcst.parse_module(ast.unparse(strip_docstrings(ast.parse(module.code))))
    module, mutations, *_ = create_mutations(str(path), base.code)
    original = function_sources(module.code)
    seen = set()
    for mutation in mutations:
        if mutation.contained_by_top_level_function is None:
            continue
        code = module.deep_replace(mutation.original_node, mutation.mutated_node).code
        try:
            functions = function_sources(code)
            compiled = function_codes(compile(code, str(path), "exec"))
        except SyntaxError:
            continue
        for name, source in functions.items():
            # SQL and HTML mean the same in capitals
            if source.lower() == original[name].lower():
                continue
            if (name, source) not in seen:
                seen.add((name, source))
                yield name, diff(original[name], source), compiled[name]


def function_sources(code):
    """Return a dict of the qualified names of functions and methods to their text."""
    return {
        f"{prefix}{node.name}": ast.unparse(node)
        for prefix, nodes in scopes(ast.parse(code))
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    }


def scopes(tree):
    yield "", tree.body
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield f"{node.name}.", node.body


def function_codes(module_code):
    """Return a dict of the qualified names of functions and methods to their code."""
    consts = [const for const in module_code.co_consts if inspect.iscode(const)]
    nested = [
        const for code in consts for const in code.co_consts if inspect.iscode(const)
    ]
    return {code.co_qualname: code for code in [*consts, *nested]}


def diff(before, after):
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0)
    return "\n".join(itertools.islice(lines, 2, None))


@functools.cache
def find_functions(module_name):
    """Return a dict of the qualified names of functions and methods to themselves."""
    found = {}
    for owner in [sys.modules[module_name]]:
        # not what stands for an object of the current request
        members = [m for m in vars(owner).values() if type(m) is not LocalProxy]
        classes = [
            each
            for each in members
            if inspect.isclass(each) and each.__module__ == module_name
        ]
        for value in [*members, *(v for each in classes for v in vars(each).values())]:
            value = getattr(value, "__func__", value)
            value = inspect.unwrap(value) if callable(value) else value
            if inspect.isfunction(value) and value.__module__ == module_name:
                found[value.__qualname__] = value
    return found


# === Tests === #


def all_tests(addon):
    config["test_tags"] = f"/{addon}"
    return list(loader.make_suite([addon], "post_install"))


def run_tests(tests, result):
    odoo.modules.module.current_test = True
    # As Odoo does: what the addon logs as an error, tests expect.
    OdooSuite(tests)(result)
    return result


def in_child(work, patience):
    """Fork, call `work` with the web server running there, and return what it returns.

    :param work: returns an exit status
    :return: the exit status, or None when it took longer than `patience`
    """
    odoo.sql_db.close_all()
    pid = os.fork()
    if not pid:
        status = 99
        try:
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            start_http()
            status = work()
        except BaseException:  # noqa: BLE001 - whatever it is, a child never returns
            status = 98
        finally:
            os._exit(status)
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def start_http():
    config["http_port"] = 0
    server.server = server.ThreadedServer(odoo.http.root)
    server.server.start(stop=False)


def measure(tests, files, folder):
    """Run all tests once, each class by itself.

    :return: a dict of methods to the tests that reach them, and one of tests to seconds
    """
    data = folder / "coverage"
    times = folder / "times"

    def work():
        class Timed(OdooTestResult):
            def startTest(self, test):
                measured.switch_context(test.id())
                self.started = time.monotonic()
                super().startTest(test)

            def stopTest(self, test):
                super().stopTest(test)
                with open(times, "a") as out:
                    out.write(f"{test.id()} {time.monotonic() - self.started}\n")
                measured.switch_context("")

            def addError(self, test, err):
                super().addError(test, err)
                self.note(test)

            def addFailure(self, test, err):
                super().addFailure(test, err)
                self.note(test)

            def note(self, test):
                with open(folder / "failed", "a") as out:
                    out.write(f"{test.id()}\n")

        measured = coverage.Coverage(
            data_file=str(data), include=list(map(str, files)), config_file=False
        )
        measured.start()
        for name, group in itertools.groupby(tests, class_name):
            # what setUpClass reaches, all tests of the class reach
            measured.switch_context(name)
            run_tests(list(group), Timed())
        measured.stop()
        measured.save()
        return 0

    if in_child(work, 1800) != 0:
        sys.exit("The tests cannot be run without a change.")
    failed = (folder / "failed").read_text() if (folder / "failed").exists() else ""
    seconds = dict(line.split() for line in times.read_text().splitlines())
    reached = coverage.CoverageData(str(data))
    reached.read()
    tests_by_function = defaultdict(set)
    for path in files:
        contexts = reached.contexts_by_lineno(str(path))
        for name, lines in function_lines(path).items():
            for line in lines:
                tests_by_function[path, name].update(contexts.get(line, ()))
    return (
        tests_by_function,
        {name: float(value) for name, value in seconds.items()},
        set(failed.split()),
    )


def class_name(test):
    return test.id().rpartition(".")[0]


def function_lines(path):
    """Return a dict of the qualified names of functions to the lines of their body."""
    return {
        f"{prefix}{node.name}": range(node.body[0].lineno, node.end_lineno + 1)
        for prefix, nodes in scopes(ast.parse(path.read_text()))
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    }


def pick(tests, contexts, seconds, left_out):
    """Return the tests that reach a method, classes together, quick ones first."""
    picked = [
        test
        for test in tests
        if (test.id() in contexts or class_name(test) in contexts)
        and test.id() not in left_out
        and seconds.get(test.id(), 0) < SLOW
    ]
    costs = defaultdict(float)
    for test in picked:
        costs[class_name(test)] += seconds.get(test.id(), 0)
    return sorted(picked, key=lambda test: (costs[class_name(test)], class_name(test)))


def put_first(tests, names):
    """Return the tests, those with the names first, as they caught a change before."""
    return sorted(tests, key=lambda test: test.id() not in names)


def try_mutant(function, code, tests, usual):
    """Run tests with another code of a function.

    :param usual: how many seconds the tests take without a change
    :return: CAUGHT, SURVIVED, TIMEOUT, NOT_TRIED where Python cannot exchange the code,
        or BROKEN where no test could be run; and the name of the test that caught it
    """
    reader, writer = os.pipe()

    def work():
        try:
            function.__code__ = code
        except ValueError:
            # the change took away, or brought, a variable of the outer scope: `super`
            return NOT_TRIED
        result = run_tests(tests, FirstFailure())
        if result.wasSuccessful():
            return SURVIVED
        if result.latest:
            os.write(writer, result.latest.id().encode())
        return CAUGHT

    status = in_child(work, PATIENCE + 5 * usual)
    os.close(writer)
    with open(reader) as pipe:
        catcher = pipe.read()
    if status is None:
        status = TIMEOUT
    elif status not in (CAUGHT, SURVIVED, NOT_TRIED):
        status = BROKEN
    return status, catcher


# === The whole === #


def main():
    conf, db, report, *files = sys.argv[1:]
    files = [Path(path) for path in files]
    addon = files[0].parent.parent.name
    config.parse_config(
        [f"--config={conf}", f"--database={db}", "--log-level=critical"]
    )
    server.load_server_wide_modules()
    threading.current_thread().testing = True
    odoo.modules.registry.Registry(db)
    config["test_enable"] = True
    tests = all_tests(addon)
    print(f"{len(tests)} tests; measuring what they reach …")
    with tempfile.TemporaryDirectory() as folder:
        contexts, seconds, failed = measure(tests, files, Path(folder))
    slow = [name for name, value in seconds.items() if value >= SLOW]
    print(f"{len(slow)} slow tests are left out, {len(failed)} that fail as they are.")
    for name in sorted(failed):
        print(f"  fails without a change: {name}")
    counts, lines = defaultdict(int), []
    for path in files:
        functions = find_functions(
            f"odoo.addons.{addon}.{path.parent.name}.{path.stem}"
        )
        catchers = defaultdict(list)
        for name, change, code in make_mutants(path):
            picked = pick(tests, contexts[path, name], seconds, failed)
            what = "not reached"
            if picked and name in functions:
                usual = sum(seconds.get(test.id(), 0) for test in picked)
                picked = put_first(picked, catchers[name])
                status, catcher = try_mutant(functions[name], code, picked, usual)
                if catcher and catcher not in catchers[name]:
                    catchers[name].append(catcher)
                what = ("caught", "survived", "timeout", "not tried", "broken")[status]
            counts[what] += 1
            if what not in ("caught", "timeout"):
                lines.append(f"{what}: {path.stem} {name}\n{change}\n")
                print(lines[-1])
                Path(report).write_text("\n".join(lines))
        print(path.name, dict(counts))
    lines.append(", ".join(f"{count} {what}" for what, count in counts.items()))
    Path(report).write_text("\n".join(lines) + "\n")
    print(lines[-1])
    return int(bool(counts.keys() - {"caught", "timeout"}))


if __name__ == "__main__":
    sys.exit(main())
