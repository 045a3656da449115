"""climxai: why a neural network says what it says about a climate field."""

from climxai.version import __version__

__all__ = ["__version__"]
