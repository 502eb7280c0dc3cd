"""The network and all that makes it speak: vocabulary, sampling, weights, two forward passes."""

__version__ = "1.1.0"  # of the whole project: pyproject.toml takes it from here
