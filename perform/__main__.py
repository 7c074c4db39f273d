"""`perform` and `python -m perform`: the command line, for torchrun and for machines without the script."""
# No import stands above this one, not even `from __future__`: see perform/children.py.

from perform.children import guard

guard()

import signal  # noqa: E402
import sys  # noqa: E402


def app() -> None:
    """Run the command line. Ctrl-C while it is loaded ends it with exit code 130. When a command has ended,
    another Ctrl-C ends at once what is still closing, without a traceback."""
    try:
        from perform.cli import app as program

        program(prog_name="perform")  # also for `python -m perform`: the shell completes by this name
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    app()
