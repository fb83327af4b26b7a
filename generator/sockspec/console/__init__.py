"""A client for the terminal and for pipes: what `sockspec connect` does once its arguments are read."""
