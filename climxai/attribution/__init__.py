"""Attribution: a traced network, the scalar to explain, methods that share it out. No xarray."""
