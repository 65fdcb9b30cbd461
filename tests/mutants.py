"""Mutants: small faults put into files of `monitor/core`, one at a time, to see which of them no test notices.

    python -m tests.mutants calm track --sample 40

mutmut makes them. Its own runner collects the tests anew for each; here they are collected once, each is run once to
see which functions it calls and how long it takes, and each mutant then gets a fork of that process and the tests that
call its function. `docs/mutants.md` says how to read what comes of it.
"""

import argparse
import difflib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pickle
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

ROOT = Path(__file__).parent.parent
CORE = ROOT / "monitor" / "core"
TESTS = ("tests/core", "tests/stories")


class Mutated(importlib.machinery.SourceFileLoader):
    """Loads a file with all of its mutants inside; `set_mutant_under_test` says which one is called."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, path)
        self.file: MutatedFile = mutate_file_contents(path, Path(path).read_text(encoding="utf-8"))

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.file.code, self.path, "exec", dont_inherit=True)

    def difference(self, mutant: str) -> str:
        """The lines of the original that are others in this mutant, and those."""
        lines, spans = self.file.code.splitlines(), self.file.line_span_by_function_name
        bodies = []
        for name in (original(mutant), mutant):
            body = "\n".join(lines[spans[name].start - 1 : spans[name].end])
            bodies.append(body.replace(name, name.split("__mutmut_")[0].removeprefix("x_")).splitlines())
        changes = list(difflib.unified_diff(*bodies, n=0, lineterm=""))[2:]
        return "\n".join(line for line in changes if not line.startswith("@@"))


class Finder(importlib.abc.MetaPathFinder):
    """Finds the files under test in their mutated form."""

    def __init__(self, files: Iterable[str]) -> None:
        paths = {f"monitor.core.{file}": str(CORE / f"{file}.py") for file in files}
        self.loaders = {name: Mutated(name, path) for name, path in paths.items()}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        loader = self.loaders.get(fullname)
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader) if loader else None


class Trial:
    """A run of pytest that tries mutants where others run each test once."""

    def __init__(self, loaders: dict[str, Mutated], options: argparse.Namespace) -> None:
        self.loaders, self.options = loaders, options
        self.items: dict[str, pytest.Item] = {}
        self.seconds: dict[str, float] = {}  # how long each test takes
        self.callers: dict[str, list[str]] = {}  # the tests that call a function
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_collection(self) -> None:
        """A failure is enough: nobody waits for the smallest example."""
        from hypothesis import Phase, settings  # pytest wants to be the first to import it

        settings.register_profile("mutants", settings.default, phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.measure()
        running: dict[int, tuple[str, str]] = {}
        for module, mutant in self.chosen():
            tests = self.tests_of(module, mutant)
            if not tests:
                self.report(module, mutant, "not called")
                continue
            if len(running) == self.options.jobs:
                self.await_one(running)
            sys.stdout.flush()
            pid = os.fork()
            if not pid:
                self.be(f"{module}.{mutant}", tests)
            running[pid] = module, mutant
        while running:
            self.await_one(running)
        return True

    def measure(self) -> None:
        """Runs each test once, in a fork: nothing that core keeps in a cache may reach the mutants."""
        reading, writing = os.pipe()
        if not os.fork():
            set_mutant_under_test("stats")
            for name, item in self.items.items():
                state()._stats.clear()
                began = time.process_time()
                if failed(item):
                    print(f"{name} fails without any mutant", file=sys.__stderr__, flush=True)
                    os._exit(1)
                self.seconds[name] = time.process_time() - began
                for function in state()._stats:
                    self.callers.setdefault(function, []).append(name)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump((self.seconds, self.callers), pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            content = pipe.read()
        if os.wait()[1]:
            pytest.exit("the tests must pass before mutants can fail them", returncode=1)
        self.seconds, self.callers = pickle.loads(content)

    def chosen(self) -> list[tuple[str, str]]:
        """All mutants, or so many of each file, the same ones for the same seed."""
        mutants: list[tuple[str, str]] = []
        for module, loader in sorted(self.loaders.items()):
            names = [name for name in loader.file.mutant_names if any(part in f"{name}." for part in self.options.only)]
            count = min(self.options.sample or len(names), len(names))
            mutants += [(module, name) for name in random.Random(self.options.seed).sample(names, count)]
        return mutants

    def tests_of(self, module: str, mutant: str) -> list[str]:
        """The tests that call the function, those of its file first, then the quick ones, as long as the time lasts."""
        callers = self.callers.get(f"{module}.{original(mutant).removesuffix('__mutmut_orig')}", [])
        own = f"/test_{module.rpartition('.')[2]}.py"
        tests, left = [], float(self.options.seconds)
        for test in sorted(callers, key=lambda test: (own not in test, self.seconds[test])):
            left -= self.seconds[test]
            if left < 0:
                break
            tests.append(test)
        return tests

    def be(self, mutant: str, tests: list[str]) -> None:
        """Ends the process: 1 when one of the tests fails, 0 when none does, by a signal when they take far longer."""
        limit = 5 + 5 * int(sum(self.seconds[test] for test in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        set_mutant_under_test(mutant)
        status = 0
        try:
            status = int(any(failed(self.items[test]) for test in tests))
        except BaseException:  # whatever it is, it was noticed
            status = 1
        finally:
            os._exit(status)

    def await_one(self, running: dict[int, tuple[str, str]]) -> None:
        pid, status = os.wait()
        module, mutant = running.pop(pid)
        outcome = "survived" if status == 0 else "killed" if os.WIFEXITED(status) else "too long"
        self.report(module, mutant, outcome)

    def report(self, module: str, mutant: str, outcome: str) -> None:
        self.outcomes[module][outcome] += 1
        if outcome in ("survived", "not called"):
            text = f"\n{module} {mutant} {outcome}\n{self.loaders[module].difference(mutant)}"
            print(text, file=self.options.out, flush=True)

    def table(self) -> str:
        """What came of it, as the table of `docs/mutants.md` has it."""
        words = ("killed", "too long", "survived", "not called")
        rows = [f"| file | mutants | tried | {' | '.join(words)} |", "|---|" + "---:|" * (2 + len(words))]
        for module, counts in sorted(self.outcomes.items()):
            made = len(self.loaders[module].file.mutant_names)
            figures = (made, counts.total(), *(counts[word] for word in words))
            rows.append(f"| `{module.rpartition('.')[2]}` | {' | '.join(map(str, figures))} |")
        return "\n".join(rows)


def original(mutant: str) -> str:
    return mutant.rpartition("_")[0] + "_orig"


def failed(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="of monitor/core, without its folder and `.py`")
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of each file; all when left out")
    parser.add_argument("--seed", type=int, default=1, help="of the choice")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="mutants that have one in their name")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="that may notice them")
    parser.add_argument("--seconds", type=float, default=10, help="of tests for each mutant, at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.out = sys.stdout
    finder = Finder(options.files)
    sys.meta_path.insert(0, finder)
    trial = Trial(finder.loaders, options)
    began = time.monotonic()
    status = pytest.main(["-n", "0", "-q", "-s", "-p", "no:cacheprovider", *options.tests], plugins=[trial])
    print(f"\n{trial.table()}\n\n{time.monotonic() - began:.0f} s")
    sys.exit(status if not trial.outcomes else 0)


if __name__ == "__main__":
    main()
