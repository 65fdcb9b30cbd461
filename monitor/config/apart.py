"""Apart: the configuration, read by a process of its own that ends when it has told what the file says.

Reading takes the models of every section, 16 MB, and for a file of ten thousand modules some seconds of the interpreter
and 60 MB more. A monitor that runs for months keeps what was read and none of that, and its loop waits for none of it.
"""

import gc
import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from traceback import format_exc

import monitor
from monitor.config import Config, ConfigError, Problem
from monitor.config.file import load
from monitor.config.undisturbed import undisturbed

CODE = "import sys; sys.path.append(sys.argv[2]); from monitor.config.apart import tell; tell(sys.argv[1])"


class Reading:
    """A configuration that is being read, from the moment this is made."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._process: Popen[bytes] | OSError
        command = (sys.executable, "-P", "-c", CODE, file, str(Path(monitor.__file__).parents[1]))
        try:
            # What a shell has opened for the file, as `<(…)`, goes along; Ctrl-C at a terminal is for us alone.
            self._process = Popen(command, stdout=PIPE, close_fds=False, process_group=0)
        except OSError as error:  # too many processes, or too many open files
            self._process = error

    def config(self) -> Config:
        """What the file says, once it is read. Raises ConfigError with everything that is wrong."""
        if isinstance(self._process, OSError):
            raise self._unread((self._process.strerror or "unknown").lower())
        told, _ = self._process.communicate()
        if self._process.returncode:
            raise self._unread(f"its reader ended with {self._process.returncode}")
        with undisturbed():
            found: Config | ConfigError | str = pickle.loads(told)  # of our own process
        if isinstance(found, str):
            raise RuntimeError(found)
        if isinstance(found, ConfigError):
            raise found
        return found

    def _unread(self, why: str) -> ConfigError:
        return ConfigError(self._file, [Problem(1, 1, f"cannot be read: {why}")])


def reloaded(file: str, current: Config) -> Config:
    """What the file says, to take the place of what is in force; raises ConfigError as well where no module would be
    left: half of a file may be whole YAML, and everything that is known of every module would be lost by it."""
    config = Reading(file).config()
    count = len(current.platform.modules)
    if count and not config.platform.modules:
        said = f"no module is left of {count}; if that is meant, stop the monitor and start it again"
        raise ConfigError(config.file, [Problem(1, 1, said)])
    return config


def tell(file: str) -> None:
    """The part of the process that reads: a pickle of the configuration on stdout, or of what is wrong."""
    gc.disable()  # what it makes stays until it leaves
    found: Config | ConfigError | str
    try:
        found = load(file)
    except ConfigError as error:
        found = error
    except Exception:
        found = format_exc()
    with suppress(BrokenPipeError):  # whoever asked is gone
        sys.stdout.buffer.write(pickle.dumps(found, pickle.HIGHEST_PROTOCOL))
        sys.stdout.buffer.flush()
    os._exit(0)  # to free it piece by piece would take as long as half of the reading
