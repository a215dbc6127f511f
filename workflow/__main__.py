"""`python -m workflow` is `wf`."""

from workflow.cli import main

if __name__ == "__main__":
    main()
