"""The local beginning of a network: convolutions, pooling and what works cell by cell."""
