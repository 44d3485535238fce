"""The inside of the sandbox: Python around the script of a model."""
