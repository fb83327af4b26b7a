"""What follows from an API: how its messages are told apart, and which payloads a typed decoder can judge alone."""
