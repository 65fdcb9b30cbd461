"""Support: a configuration from text, without a disk."""

from monitor.config import Config
from monitor.config.parse import parse
from monitor.core.probe import Probe

FILES = {"/run/secrets/key": "from-a-file\n", "/run/secrets/empty": "\n"}
CATALOGUES = frozenset({"pt-BR", "es"})


def read_file(path: str) -> str:
    """A disk that holds two files."""
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


def parsed(text: str, **environment: str) -> Config:
    """The configuration of a text, with this environment and nothing else."""
    return parse(text, "probes.yaml", environment, read_file, lambda theme: CATALOGUES)


def with_probe(keys: str, head: str = "", **environment: str) -> Config:
    """A configuration with one module `checkout` and one probe `home`, of these lines."""
    lines = "\n".join(f"        {line}" for line in keys.splitlines())
    return parsed(
        f"version: 1\n{head}\nmodules:\n  - id: checkout\n    probes:\n      - id: home\n{lines}\n", **environment
    )


def probe_of(keys: str, head: str = "", **environment: str) -> Probe:
    """That probe."""
    return with_probe(keys, head, **environment).platform.probes["checkout", "home"]


def messages(problems: object) -> list[str]:
    """Only what is said."""
    assert isinstance(problems, list | tuple)
    return [problem.message for problem in problems]
