"""`python -m monitor` and the `monitor` script."""

from monitor.cli import main

if __name__ == "__main__":
    main()
