"""The one place where labelled arrays become tensors and back; and the bundle of a network."""
