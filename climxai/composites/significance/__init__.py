"""How far a composite is to be trusted, cell by cell and as a field.

`settings` says which tests are made, `method` what a test is; `zero`, `bootstrap` and `groups` hold
the tests, `nulls` the comparison with networks trained on shuffled labels. `serial` knows the order
of samples and their memory, `blocks` keeps together what hangs together, `gather` brings cells into
memory block by block, `discoveries` turns p-values of many cells into a statement about the field,
`agreement` counts signs, `field` puts them together and `variables` names them.
"""

from __future__ import annotations

from climxai.composites.significance.bootstrap import BlockBootstrap
from climxai.composites.significance.groups import Permutation
from climxai.composites.significance.method import SignificanceTest
from climxai.composites.significance.zero import SignTest, TTest

TESTS: dict[str, type[SignificanceTest]] = {
    "t_test": TTest,
    "sign_test": SignTest,
    "block_bootstrap": BlockBootstrap,
    "permutation": Permutation,
}
"""Every test of a composite, by name."""

__all__ = ["TESTS", "BlockBootstrap", "Permutation", "SignTest", "SignificanceTest", "TTest"]
