"""A synthetic sea-surface temperature record with a known truth, for demos and tests."""

from climxai.data.sample.synthetic import SyntheticSst

__all__ = ["SyntheticSst"]
