"""`python -m bank_node` is the same as `bank`."""

from bank_node.cli import main

if __name__ == "__main__":
    main()
