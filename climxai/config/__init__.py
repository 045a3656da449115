"""Configuration: from YAML to a validated experiment; the only room that knows all the tables."""
