"""Networks and their training: architectures, fitting, scores, baselines. Knows no xarray."""
