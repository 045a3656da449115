"""What the commands do: read a configuration, call the rooms below, write outputs."""
