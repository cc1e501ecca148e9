"""`python -m soundalike` is the command `soundalike`."""

from soundalike.cli.main import main

if __name__ == "__main__":
    main()
