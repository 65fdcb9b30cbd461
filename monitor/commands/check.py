"""`monitor check`: every problem of a configuration, each on a line that editors can jump to."""

import gc
import sys

from monitor.commands.common import told
from monitor.config import Config, ConfigError
from monitor.config.file import load


def check(file: str) -> int:
    """Prints what is wrong on stderr, or one line about what is configured on stdout; 0, or 2."""
    gc.disable()  # a large file makes a million objects, none of them garbage before we leave
    try:
        config = load(file)
    except ConfigError as error:
        _tell(told(error))
        return 2
    _tell("\n".join(problem.at(file) for problem in config.warnings))
    print(f"{file}: {summary(config)}")
    gc.freeze()  # nor does the end of the process look through them
    return 0


def _tell(text: str) -> None:
    if text:
        print(text, file=sys.stderr)


def summary(config: Config) -> str:
    """`14 modules, 31 probes, 2 of them off`."""
    modules, probes = len(config.platform.modules), config.platform.probes.values()
    off = sum(1 for probe in probes if probe.off is not None)
    said = f"{modules} module{'' if modules == 1 else 's'}, {len(probes)} probe{'' if len(probes) == 1 else 's'}"
    return f"{said}, {off} of them off" if off else said
